import Models

/// The decoder of a compression library, fed in pieces. It owns the library's state and frees it once.
protocol StreamDecoder: AnyObject {
  /// Takes from the front of the input and writes to the front of the output, as much as fits.
  /// - Parameter isLast: No more input follows.
  /// - Throws: `corrupt`, `too_large` or `internal_error`.
  func decode(
    _ input: UnsafeRawBufferPointer, into output: UnsafeMutableRawBufferPointer, isLast: Bool
  ) throws -> DecoderStep
}

/// What one call of a decoder did.
struct DecoderStep {
  /// Bytes.
  var consumed: Int
  /// Bytes.
  var produced: Int
  /// The input may end after what was consumed, and all that it stands for was produced.
  var isComplete: Bool
}

extension ServiceError {
  static func damaged(_ detail: String) -> ServiceError {
    ServiceError(.corrupt, "The compressed file is damaged.", detail: detail)
  }

  static let cutOff = ServiceError(.corrupt, "The compressed file is cut off.")

  static let expandsTooFar = ServiceError(.tooLarge, "The compressed file expands to more than the limit.")

  static func needsTooMuchMemory(_ detail: String) -> ServiceError {
    ServiceError(.tooLarge, "The file was compressed with more memory than is given to expand it.", detail: detail)
  }

  static func decoderFailed(_ detail: String) -> ServiceError {
    ServiceError(.internalError, "The file could not be expanded.", detail: detail)
  }
}
