import CLzma
import Models

/// xz by liblzma, its header lzma/container.h. Streams may follow one another, with zeros after each, by fours; the .xz
/// file format, 2.2.
final class XZDecoder: StreamDecoder {
  /// Bytes that liblzma may allocate. `xz -9` needs 65 MiB.
  private static let memoryLimit: UInt64 = 256 << 20
  // LZMA_TELL_UNSUPPORTED_CHECK, LZMA_CONCATENATED; a macro hides them from Swift.
  private static let flags: UInt32 = 0x02 | 0x08

  private let stream: UnsafeMutablePointer<lzma_stream>
  private var hasEnded = false

  init() throws {
    stream = .allocate(capacity: 1)
    // All zero, as LZMA_STREAM_INIT.
    stream.initialize(to: lzma_stream())
    let status = lzma_stream_decoder(stream, Self.memoryLimit, Self.flags)
    guard status == LZMA_OK else { throw ServiceError.decoderFailed("liblzma: \(status.rawValue)") }
  }

  deinit {
    lzma_end(stream)
    stream.deallocate()
  }

  func decode(
    _ input: UnsafeRawBufferPointer, into output: UnsafeMutableRawBufferPointer, isLast: Bool
  ) throws -> DecoderStep {
    // liblzma says so only when it is told that no input follows, and may not be called again.
    if hasEnded { return DecoderStep(consumed: 0, produced: 0, isComplete: true) }
    let status = run(input, output, isLast ? LZMA_FINISH : LZMA_RUN)
    switch status {
    // LZMA_BUF_ERROR: neither input nor room is left.
    case LZMA_OK, LZMA_BUF_ERROR: break
    case LZMA_STREAM_END: hasEnded = true
    case LZMA_MEMLIMIT_ERROR: throw ServiceError.needsTooMuchMemory("liblzma: \(lzma_memusage(stream)) bytes")
    case LZMA_MEM_ERROR: throw ServiceError.decoderFailed("liblzma: no memory")
    default: throw ServiceError.damaged("liblzma: \(status.rawValue)")
    }
    return DecoderStep(
      consumed: input.count - stream.pointee.avail_in, produced: output.count - stream.pointee.avail_out,
      isComplete: hasEnded)
  }

  private func run(
    _ input: UnsafeRawBufferPointer, _ output: UnsafeMutableRawBufferPointer, _ action: lzma_action
  ) -> lzma_ret {
    // Safe: liblzma uses both pointers within this call only.
    stream.pointee.next_in = input.assumingMemoryBound(to: UInt8.self).baseAddress
    stream.pointee.avail_in = input.count
    stream.pointee.next_out = output.assumingMemoryBound(to: UInt8.self).baseAddress
    stream.pointee.avail_out = output.count
    return lzma_code(stream, action)
  }
}
