import Models

/// Moves bytes from a source through a decoder into a sink.
struct Expansion {
  let decoder: any StreamDecoder
  /// Bytes that may come out at most.
  let limit: Int64
  var inputSize = 1 << 18
  /// Bytes of each write but the last.
  var outputSize = SparseFile.block << 4

  /// - Parameters:
  ///   - read: Fills the front of a buffer; 0 bytes mean the end.
  ///   - write: Takes a full buffer each time, but for the last.
  /// - Returns: The number of bytes that came out.
  func run(
    read: (UnsafeMutableRawBufferPointer) throws -> Int, write: (UnsafeRawBufferPointer) throws -> Void,
    isCancelled: () -> Bool
  ) throws -> Int64 {
    let source = Buffer(inputSize)
    let sink = Buffer(outputSize)
    var total: Int64 = 0
    var hasEnded = false
    while true {
      guard !isCancelled() else { throw CancellationError() }
      if source.isEmpty && !hasEnded { hasEnded = try source.fill(read) == 0 }
      let step = try decoder.decode(source.filled, into: sink.free, isLast: hasEnded)
      source.drop(step.consumed)
      sink.add(step.produced)
      total += Int64(step.produced)
      guard total <= limit else { throw ServiceError.expandsTooFar }
      let isDrained = source.isEmpty && !sink.isFull
      if sink.isFull { try sink.empty(write) }
      if hasEnded && isDrained {
        guard step.isComplete else { throw ServiceError.cutOff }
        try sink.empty(write)
        return total
      }
      guard step.consumed > 0 || step.produced > 0 || source.isEmpty else {
        throw ServiceError.damaged("no progress")
      }
    }
  }
}

/// Memory that is filled at one end and taken from the other; freed once.
private final class Buffer {
  private let memory: UnsafeMutableRawBufferPointer
  private var taken = 0
  private var end = 0

  init(_ size: Int) { memory = .allocate(byteCount: size, alignment: 16) }

  deinit { memory.deallocate() }

  var isEmpty: Bool { taken == end }
  var isFull: Bool { end == memory.count }
  var filled: UnsafeRawBufferPointer { UnsafeRawBufferPointer(rebasing: memory[taken..<end]) }
  var free: UnsafeMutableRawBufferPointer { UnsafeMutableRawBufferPointer(rebasing: memory[end...]) }

  func add(_ count: Int) { end += count }

  func drop(_ count: Int) { taken += count }

  /// Takes new bytes in the place of those that are used up.
  func fill(_ read: (UnsafeMutableRawBufferPointer) throws -> Int) throws -> Int {
    (taken, end) = (0, try read(memory))
    return end
  }

  func empty(_ write: (UnsafeRawBufferPointer) throws -> Void) throws {
    if !isEmpty { try write(filled) }
    (taken, end) = (0, 0)
  }
}
