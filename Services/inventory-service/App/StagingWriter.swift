import Blocking
import Foundation
import Models
import NIOCore
import ServiceKit

/// Writes a file that is being received, off the cooperative pool.
actor StagingWriter {
  private nonisolated let executor = QueueExecutor(label: "staging")
  nonisolated var unownedExecutor: UnownedSerialExecutor { executor.asUnownedSerialExecutor() }

  private let file: FileHandle

  init(file: FileHandle) { self.file = file }

  /// - Throws: `no_space` when the file system is full.
  func write(_ buffer: ByteBuffer) throws {
    try buffer.withUnsafeReadableBytes { bytes in
      var offset = 0
      while offset < bytes.count {
        // Safe: the pointer stays inside the buffer, which outlives the call.
        let count = Foundation.write(file.fileDescriptor, bytes.baseAddress! + offset, bytes.count - offset)
        if count < 0 && errno == EINTR { continue }
        guard count > 0 else { throw Self.failure(errno) }
        offset += count
      }
    }
  }

  private static func failure(_ code: Int32) -> any Error {
    code == ENOSPC || code == EDQUOT || code == EFBIG
      ? ServiceError(.noSpace, "The image store is full.") : FileError(path: "staging file", code: code)
  }
}
