import Models

@testable import DiskImages

/// libFuzzer calls this with every input, https://llvm.org/docs/LibFuzzer.html. A trap is a finding.
@_cdecl("LLVMFuzzerTestOneInput")
public func fuzzOneInput(_ start: UnsafePointer<UInt8>, _ count: Int) -> CInt {
  // Safe: libFuzzer owns the bytes until this returns, and they are copied.
  let input = Array(UnsafeBufferPointer(start: start, count: count))
  InspectorFuzz.run(input)
  if let compression = Compression(magic: input) { ExpansionFuzz.run(input, compression) }
  return 0
}

/// What must hold of every header.
enum InspectorFuzz {
  private static let limit: Int64 = 1 << 40
  /// The beginning of a large file, of which an input is the first part.
  private nonisolated(unsafe) static var large = [UInt8](repeating: 0, count: DiskInspector.headerLength)

  static func run(_ input: [UInt8]) {
    check(input, fileSize: Int64(input.count), footer: [])
    check(input, fileSize: Int64(input.count), footer: input.suffix(DiskInspector.footerLength))
    // Safe: libFuzzer calls from one thread.
    let used = min(input.count, large.count)
    large.replaceSubrange(..<used, with: input[..<used])
    for fileSize in [1 << 21, 1 << 30, Int64.max / 512 * 512, .max] { check(large, fileSize: fileSize, footer: []) }
    for index in 0..<used { large[index] = 0 }
  }

  private static func check(_ header: [UInt8], fileSize: Int64, footer: [UInt8]) {
    do {
      let found = try DiskInspector.inspect(header, fileSize: fileSize, limit: limit, footer: footer)
      precondition(found.virtualSize > 0 && found.virtualSize <= limit && found.virtualSize % 512 == 0)
      switch found.format {
      case .raw: precondition(found.virtualSize == fileSize && !header.starts(with: magic))
      case .qcow2: checkTaken(header)
      }
    } catch let error as ServiceError {
      precondition([.badFormat, .unsafeImage, .corrupt, .tooLarge].contains(error.code))
    } catch { preconditionFailure("\(error)") }
  }

  private static let magic: [UInt8] = [0x51, 0x46, 0x49, 0xfb]

  /// The fields that reach out of a file, read again without the reader's own code.
  private static func checkTaken(_ header: [UInt8]) {
    precondition(header.starts(with: magic) && header.count >= 512)
    precondition(header[4..<7].allSatisfy { $0 == 0 } && (2...3).contains(header[7]))
    precondition(header[8..<20].allSatisfy { $0 == 0 }, "a backing file")
    precondition(header[32..<36].allSatisfy { $0 == 0 }, "encryption")
    guard header[7] == 3 else { return }
    precondition(header[72..<79].allSatisfy { $0 == 0 } && header[79] & ~0b11001 == 0, "features")
  }
}

/// What must hold of every compressed file.
enum ExpansionFuzz {
  private static let limit: Int64 = 1 << 20

  /// However the input is cut, the same comes out.
  static func run(_ input: [UInt8], _ compression: Compression) {
    let whole = expand(input, compression, inputSize: 1 << 16, outputSize: 1 << 16)
    let inParts = expand(input, compression, inputSize: 3, outputSize: 1000)
    switch (whole, inParts) {
    case (.success(let one), .success(let other)): precondition(one == other)
    case (.failure(let one), .failure(let other)): checkCodes(one, other)
    // libzstd compares the size that a frame declares with what came out only where it sees the frame whole, or where
    // the last block is not empty.
    case (.failure(let error), .success), (.success, .failure(let error)):
      precondition(compression == .zstd, "\(error)")
    }
  }

  /// A damaged file may reach the limit before the damage is seen, or the other way round.
  private static func checkCodes(_ one: any Error, _ other: any Error) {
    let codes = [one, other].compactMap { ($0 as? ServiceError)?.code }
    precondition(codes.count == 2 && codes.allSatisfy { [.corrupt, .tooLarge].contains($0) }, "\(one), \(other)")
  }

  private static func expand(
    _ input: [UInt8], _ compression: Compression, inputSize: Int, outputSize: Int
  ) -> Result<[UInt8], any Error> {
    var rest = input[...]
    var result: [UInt8] = []
    return Result {
      let expansion = Expansion(
        decoder: try compression.decoder(), limit: limit, inputSize: inputSize, outputSize: outputSize)
      let count = try expansion.run(
        read: { buffer in
          let part = rest.prefix(buffer.count)
          buffer.copyBytes(from: part)
          rest = rest.dropFirst(part.count)
          return part.count
        }, write: { result += $0 }, isCancelled: { false })
      precondition(count == result.count && count <= limit)
      return result
    }
  }
}
