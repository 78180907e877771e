import Foundation

/// A file that is written from front to back, and keeps blocks of zeros as holes.
final class SparseFile {
  /// The smallest hole, in bytes; it begins at a multiple of this.
  static let block = 1 << 16

  private let file: Descriptor
  private var length: Int64 = 0

  /// Creates the file, or empties the one there is.
  init(creating path: String) throws { file = try Descriptor(creating: path) }

  /// Adds bytes; all but the last call bring whole blocks.
  func append(_ bytes: UnsafeRawBufferPointer) throws {
    var start = 0
    while start < bytes.count {
      let isHole = Self.isZero(Self.block(of: bytes, at: start))
      var end = start
      while end < bytes.count, Self.isZero(Self.block(of: bytes, at: end)) == isHole { end += Self.block }
      end = min(end, bytes.count)
      if !isHole { try file.put(UnsafeRawBufferPointer(rebasing: bytes[start..<end]), at: length + Int64(start)) }
      start = end
    }
    length += Int64(bytes.count)
  }

  /// Gives the file its full length, also where it ends in a hole, and closes it.
  func finish() throws { try file.finish(length: length) }

  private static func block(of bytes: UnsafeRawBufferPointer, at start: Int) -> UnsafeRawBufferPointer {
    UnsafeRawBufferPointer(rebasing: bytes[start..<min(start + block, bytes.count)])
  }

  private static func isZero(_ bytes: UnsafeRawBufferPointer) -> Bool {
    guard let base = bytes.baseAddress, bytes.first == 0 else { return false }
    // Safe: both ranges are within the bytes. Each byte equals the one before it, and the first is zero.
    return memcmp(base, base + 1, bytes.count - 1) == 0
  }
}
