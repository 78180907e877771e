import CZstd
import Models

/// zstd by libzstd, its header zstd.h, "Streaming decompression". Frames may follow one another; RFC 8878, 3.
final class ZstandardDecoder: StreamDecoder {
  /// Windows up to 128 MiB, which RFC 8878, 3.1.1.1.2 leaves to the decoder and the zstd tool takes unless told more.
  private static let windowBits: Int32 = 27

  private let context: OpaquePointer
  private var isBetweenFrames = false

  init() throws {
    guard let context = ZSTD_createDCtx() else { throw ServiceError.decoderFailed("libzstd: no memory") }
    self.context = context
    let status = ZSTD_DCtx_setParameter(context, ZSTD_d_windowLogMax, Self.windowBits)
    guard ZSTD_isError(status) == 0 else { throw ServiceError.decoderFailed("libzstd: no such window") }
  }

  deinit { ZSTD_freeDCtx(context) }

  func decode(
    _ input: UnsafeRawBufferPointer, into output: UnsafeMutableRawBufferPointer, isLast: Bool
  ) throws -> DecoderStep {
    // libzstd would take the call for the beginning of another frame.
    if input.isEmpty && isBetweenFrames { return DecoderStep(consumed: 0, produced: 0, isComplete: true) }
    var source = ZSTD_inBuffer(src: input.baseAddress, size: input.count, pos: 0)
    var sink = ZSTD_outBuffer(dst: output.baseAddress, size: output.count, pos: 0)
    // Safe: libzstd uses both buffers within this call only.
    let status = ZSTD_decompressStream(context, &sink, &source)
    guard ZSTD_isError(status) == 0 else { throw Self.failure(status) }
    isBetweenFrames = status == 0
    return DecoderStep(consumed: source.pos, produced: sink.pos, isComplete: isBetweenFrames)
  }

  private static func failure(_ status: Int) -> ServiceError {
    let detail = "libzstd: \(String(cString: ZSTD_getErrorName(status)))"
    switch ZSTD_getErrorCode(status) {
    case ZSTD_error_frameParameter_windowTooLarge: return .needsTooMuchMemory(detail)
    case ZSTD_error_memory_allocation: return .decoderFailed(detail)
    default: return .damaged(detail)
    }
  }
}
