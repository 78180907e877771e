import Blocking
import Crypto
import Foundation
import Models

/// File work that may take long, off the cooperative pool.
public actor Files {
  public static let shared = Files()

  private nonisolated let executor = QueueExecutor(label: "files")
  public nonisolated var unownedExecutor: UnownedSerialExecutor { executor.asUnownedSerialExecutor() }

  /// A queue of its own for every large file, so that a long hash does not hold short work up.
  public init() {}

  /// SHA-256 of a file in hexadecimal.
  public func sha256(path: String) throws -> String {
    let handle = try FileHandle(forReadingFrom: URL(fileURLWithPath: path))
    defer { try? handle.close() }
    var hash = SHA256()
    while let chunk = try handle.read(upToCount: 1 << 20), !chunk.isEmpty {
      hash.update(data: chunk)
      try Task.checkCancellation()
    }
    return hash.finalize().map { String(format: "%02x", $0) }.joined()
  }

  /// Brings a file's bytes to the disk, gives it its final name, and brings the name to the disk.
  public func publish(_ temporary: String, as final: String) throws {
    try Self.flush(temporary)
    try Self.place(temporary, as: final)
  }

  /// Brings a file's bytes to the disk.
  public func flush(_ path: String) throws { try Self.flush(path) }

  /// Gives a flushed file its final name and brings the name to the disk; for those who are on a thread of their own.
  public static func place(_ temporary: String, as final: String) throws {
    guard rename(temporary, final) == 0 else { throw FileError(path: final, code: errno) }
    try flush((final as NSString).deletingLastPathComponent)
  }

  private static func flush(_ path: String) throws {
    let descriptor = open(path, O_RDONLY | O_CLOEXEC)
    guard descriptor >= 0 else { throw FileError(path: path, code: errno) }
    defer { close(descriptor) }
    guard fsync(descriptor) == 0 else { throw FileError(path: path, code: errno) }
  }

  /// Bytes that may still be written to the file system of a path.
  /// - Throws: `FileError`.
  public static func freeSpace(at path: String) throws -> Int64 {
    var status = statvfs()
    guard statvfs(path, &status) == 0 else { throw FileError(path: path, code: errno) }
    return Int64(status.f_bavail) * Int64(status.f_frsize)
  }

  /// Removes a file; one that is gone is fine.
  public func remove(_ path: String) throws {
    guard unlink(path) == 0 || errno == ENOENT else { throw FileError(path: path, code: errno) }
  }
}

/// A file that is being written, for one thread at a time.
public final class WritableFile {
  private let path: String
  private let descriptor: Int32
  /// Bytes in it.
  public private(set) var count: Int64

  /// Opens a file, or makes one that only its owner may read.
  /// - Parameter appending: Whether what it has stays.
  /// - Throws: `FileError`.
  public init(path: String, appending: Bool = false) throws {
    self.path = path
    descriptor = open(path, O_WRONLY | O_CREAT | O_CLOEXEC | (appending ? O_APPEND : O_TRUNC), 0o600)
    guard descriptor >= 0 else { throw FileError(path: path, code: errno) }
    var status = stat()
    count = fstat(descriptor, &status) == 0 ? Int64(status.st_size) : 0
  }

  deinit { close(descriptor) }

  /// Writes all of the bytes.
  /// - Throws: `FileError`.
  public func write(_ bytes: UnsafeRawBufferPointer) throws {
    var offset = 0
    while offset < bytes.count {
      // Safe: the pointer stays inside the buffer, which outlives the call.
      let written = Foundation.write(descriptor, bytes.baseAddress! + offset, bytes.count - offset)
      if written < 0 && errno == EINTR { continue }
      guard written > 0 else { throw FileError(path: path, code: errno) }
      offset += written
      count += Int64(written)
    }
  }

  /// Makes it empty.
  public func truncate() throws {
    guard ftruncate(descriptor, 0) == 0, lseek(descriptor, 0, SEEK_SET) == 0 else {
      throw FileError(path: path, code: errno)
    }
    count = 0
  }

  /// Brings it to the disk.
  public func flush() throws {
    guard fsync(descriptor) == 0 else { throw FileError(path: path, code: errno) }
  }
}

/// A file operation that failed, for the log; to people it only means something when the disk is full.
public struct FileError: Error, ServiceErrorConvertible, CustomStringConvertible {
  public let path: String
  public let code: Int32

  public init(path: String, code: Int32) {
    self.path = path
    self.code = code
  }

  public var description: String { "\(path): \(String(cString: strerror(code)))" }

  public var serviceError: ServiceError {
    [ENOSPC, EDQUOT, EFBIG].contains(code)
      ? ServiceError(
        .noSpace, "The disk is full; remove something, or have an operator make room.", detail: description)
      : ServiceError(
        .internalError, "Something went wrong on our side. The log has more under the request id.", detail: description)
  }
}
