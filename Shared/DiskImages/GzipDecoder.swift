import CZlib
import Models

/// gzip by zlib, https://zlib.net/manual.html. Members may follow one another, and nothing else may; RFC 1952, 2.2.
final class GzipDecoder: StreamDecoder {
  /// A window of 32 KiB, and headers of gzip only; zlib.h, inflateInit2.
  private static let windowBits: Int32 = 15 + 16

  /// At an address of its own, because zlib keeps it and compares.
  private let stream: UnsafeMutablePointer<z_stream>
  private var isBetweenMembers = false

  init() throws {
    stream = .allocate(capacity: 1)
    stream.initialize(to: z_stream())
    let status = inflateInit2_(stream, Self.windowBits, ZLIB_VERSION, Int32(MemoryLayout<z_stream>.size))
    guard status == Z_OK else { throw ServiceError.decoderFailed("zlib: \(status)") }
  }

  deinit {
    inflateEnd(stream)
    stream.deallocate()
  }

  func decode(
    _ input: UnsafeRawBufferPointer, into output: UnsafeMutableRawBufferPointer, isLast: Bool
  ) throws -> DecoderStep {
    if input.isEmpty && isBetweenMembers { return DecoderStep(consumed: 0, produced: 0, isComplete: true) }
    let status = run(input, output)
    let consumed = input.count - Int(stream.pointee.avail_in)
    let produced = output.count - Int(stream.pointee.avail_out)
    isBetweenMembers = status == Z_STREAM_END
    switch status {
    // Z_BUF_ERROR: neither input nor room is left.
    case Z_OK, Z_BUF_ERROR: break
    case Z_STREAM_END: inflateReset(stream)
    case Z_MEM_ERROR: throw ServiceError.decoderFailed("zlib: no memory")
    default: throw ServiceError.damaged("zlib: \(stream.pointee.msg.map { String(cString: $0) } ?? "\(status)")")
    }
    return DecoderStep(consumed: consumed, produced: produced, isComplete: isBetweenMembers)
  }

  private func run(_ input: UnsafeRawBufferPointer, _ output: UnsafeMutableRawBufferPointer) -> Int32 {
    // Safe: zlib does not write to its input, and both pointers are used within this call only.
    stream.pointee.next_in = UnsafeMutablePointer(mutating: input.assumingMemoryBound(to: UInt8.self).baseAddress)
    stream.pointee.avail_in = UInt32(input.count)
    stream.pointee.next_out = output.assumingMemoryBound(to: UInt8.self).baseAddress
    stream.pointee.avail_out = UInt32(output.count)
    return inflate(stream, Z_NO_FLUSH)
  }
}
