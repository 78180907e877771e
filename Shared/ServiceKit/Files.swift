import Blocking
import Crypto
import Foundation

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

  /// Removes a file; one that is gone is fine.
  public func remove(_ path: String) throws {
    guard unlink(path) == 0 || errno == ENOENT else { throw FileError(path: path, code: errno) }
  }
}

/// A file operation that failed, for the log.
public struct FileError: Error, CustomStringConvertible {
  public let path: String
  public let code: Int32

  public init(path: String, code: Int32) {
    self.path = path
    self.code = code
  }

  public var description: String { "\(path): \(String(cString: strerror(code)))" }
}
