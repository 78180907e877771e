import Models

/// A compression that images come in.
public enum Compression: String, Sendable, CaseIterable {
  /// RFC 1952.
  case gzip
  /// The .xz file format, 1.1.0, https://tukaani.org/xz/xz-file-format.txt.
  case xz
  /// RFC 8878.
  case zstd

  /// By the first bytes of a file; nil when it is none of them.
  public init?(magic: [UInt8]) {
    if magic.starts(with: [0x1f, 0x8b, 0x08]) {
      self = .gzip
    } else if magic.starts(with: [0xfd, 0x37, 0x7a, 0x58, 0x5a, 0x00]) {
      self = .xz
    } else if magic.starts(with: [0x28, 0xb5, 0x2f, 0xfd]) || Self.isSkippableFrame(magic) {
      self = .zstd
    } else {
      return nil
    }
  }

  /// Frames without content, which pzstd puts first; RFC 8878, 3.1.2.
  private static func isSkippableFrame(_ magic: [UInt8]) -> Bool {
    magic.count >= 4 && magic[0] & 0xf0 == 0x50 && magic[1..<4].elementsEqual([0x2a, 0x4d, 0x18])
  }

  /// Expands a file into another. It blocks, so call it on an executor for that.
  ///
  /// A file may have several members, streams or frames, one after another, as the tools of each format allow.
  /// Holes are left where blocks are zero, and the file has its full length. Nothing is flushed to the disk. After an
  /// error the target is incomplete, and the caller's to remove; it is never longer than the limit.
  /// - Parameters:
  ///   - target: Created, or emptied.
  ///   - limit: Bytes that may come out at most.
  ///   - isCancelled: Asked between blocks.
  /// - Returns: The number of bytes that came out.
  /// - Throws: `ServiceError` with `corrupt` (damaged, cut off, or followed by something else), `too_large` (more than
  ///   the limit comes out, or expanding needs a zstd window of more than 128 MiB or memory for xz of more than
  ///   256 MiB), `no_space`, or `internal_error` (a file cannot be used, or memory is short); `CancellationError`.
  public func expand(
    _ source: String, to target: String, limit: Int64, isCancelled: () -> Bool
  ) throws -> Int64 {
    let input = try Descriptor(reading: source)
    let output = try SparseFile(creating: target)
    let expansion = Expansion(decoder: try decoder(), limit: limit)
    let count = try expansion.run(read: input.next(into:), write: output.append, isCancelled: isCancelled)
    try output.finish()
    return count
  }

  func decoder() throws -> any StreamDecoder {
    switch self {
    case .gzip: try GzipDecoder()
    case .xz: try XZDecoder()
    case .zstd: try ZstandardDecoder()
    }
  }
}
