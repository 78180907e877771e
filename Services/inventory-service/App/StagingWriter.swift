import Blocking
import Crypto
import Foundation
import Models
import NIOCore
import ServiceKit

/// Writes a file that is being received, and hashes it on the way, off the cooperative pool.
actor StagingWriter {
  private nonisolated let executor = QueueExecutor(label: "staging")
  nonisolated var unownedExecutor: UnownedSerialExecutor { executor.asUnownedSerialExecutor() }

  private let file: WritableFile
  private let limit: Int64
  private let files: ImageFiles
  private let expected: String?
  private var hash: any HashFunction
  var count: Int64 { file.count }
  private var checkedAt: Int64 = 0

  /// Bytes after which the room on the file system is looked at again.
  private static let checkInterval: Int64 = 64 << 20

  /// - Parameters:
  ///   - limit: Bytes at most.
  ///   - expected: A digest in hexadecimal: SHA-256, or SHA-512 where it is that long.
  /// - Throws: `FileError` when the file cannot be made.
  init(path: String, limit: Int64, expected: String?, files: ImageFiles) throws {
    file = try WritableFile(path: path)
    self.limit = limit
    self.expected = expected
    self.files = files
    hash = Self.hash(for: expected)
  }

  private static func hash(for expected: String?) -> any HashFunction {
    expected?.utf8.count == 128 ? SHA512() : SHA256()
  }

  /// Makes sure, before anything comes, that what is announced can be taken.
  /// - Throws: `too_large`, `no_space`.
  func expect(_ more: Int64) throws {
    guard count + more <= limit else { throw Self.tooLarge(limit) }
    try files.require(more)
  }

  /// - Throws: `too_large`, `no_space`.
  func write(_ buffer: ByteBuffer) throws {
    guard count + Int64(buffer.readableBytes) <= limit else { throw Self.tooLarge(limit) }
    if count - checkedAt >= Self.checkInterval {
      checkedAt = count
      try files.require(Int64(buffer.readableBytes))
    }
    try buffer.withUnsafeReadableBytes { bytes in
      if expected != nil { hash.update(bufferPointer: bytes) }
      try file.write(bytes)
    }
  }

  /// Forgets what was written.
  func startOver() throws {
    try file.truncate()
    hash = Self.hash(for: expected)
    checkedAt = 0
  }

  /// Compares the digest, where one is expected, and brings everything to the disk.
  /// - Throws: `checksum_mismatch`, `no_space`.
  func finish() throws {
    if let expected {
      let actual = hash.finalize().map { String(format: "%02x", $0) }.joined()
      guard actual == expected else {
        throw ServiceError(.checksumMismatch, "The content's checksum is \(actual), not \(expected) as expected.")
      }
    }
    try file.flush()
  }

  static func tooLarge(_ limit: Int64) -> ServiceError {
    ServiceError(.tooLarge, "The image is larger than \(limit >> 20) MiB, the most that is taken.")
  }
}
