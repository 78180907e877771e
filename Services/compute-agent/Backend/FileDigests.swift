import Foundation
import ServiceKit

/// SHA-256 of large files. A file is hashed once and then trusted as long as it is the same file, unchanged.
actor FileDigests {
  private var digests: [FileStamp: Task<String, any Error>] = [:]

  /// - Throws: `FileError`.
  func digest(of path: String) async throws -> String {
    let stamp = try FileStamp(path)
    let task = digests[stamp] ?? Task { try await Files().sha256(path: path) }
    digests[stamp] = task
    do { return try await task.value } catch {
      digests[stamp] = nil
      throw error
    }
  }
}

/// By which one knows that a file is still the same.
struct FileStamp: Hashable, CustomStringConvertible {
  let inode: UInt64
  let size: Int64
  /// Nanoseconds.
  let changed: Int64

  /// - Throws: `FileError`.
  init(_ path: String) throws {
    var status = stat()
    guard stat(path, &status) == 0 else { throw FileError(path: path, code: errno) }
    inode = UInt64(status.st_ino)
    size = Int64(status.st_size)
    changed = Int64(status.st_mtim.tv_sec) * 1_000_000_000 + Int64(status.st_mtim.tv_nsec)
  }

  var description: String { "\(inode)-\(size)-\(changed)" }
}
