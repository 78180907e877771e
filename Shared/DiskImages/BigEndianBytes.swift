import Models

/// Numbers in network order within bytes that somebody else made.
struct BigEndianBytes {
  private let bytes: [UInt8]

  init(_ bytes: [UInt8]) { self.bytes = bytes }

  /// - Throws: `corrupt` where the bytes end before the number does.
  func number<Value: FixedWidthInteger & UnsignedInteger>(at offset: Int) throws -> Value {
    let size = MemoryLayout<Value>.size
    guard offset >= 0, offset <= bytes.count - size else {
      throw ServiceError(.corrupt, "The image's header is cut off.")
    }
    return bytes[offset..<(offset + size)].reduce(0) { $0 << 8 | Value($1) }
  }
}
