import Foundation

/// A file that only its owner may use.
struct PrivateFile: Sendable {
  let path: String
  /// Whether the folder is there for such files alone.
  let ownsFolder: Bool

  /// Puts a whole new file in the place of the old one.
  /// - Throws: `CommandFailure`.
  func write(_ data: Data) throws {
    try makeFolder()
    let temporary = "\(path).\(UUID().uuidString).tmp"
    do {
      try writeSecret(data, to: temporary)
      guard rename(temporary, path) == 0 else { throw cannot("write") }
    } catch {
      unlink(temporary)
      throw error
    }
  }

  /// - Throws: `CommandFailure`.
  func makeFolder() throws {
    let folder = (path as NSString).deletingLastPathComponent
    let mode: [FileAttributeKey: Any] = [.posixPermissions: 0o700]
    guard !folder.isEmpty else { return }
    do {
      try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true, attributes: mode)
    } catch {
      throw CommandFailure(.failed, "Cannot make the folder \(folder).")
    }
    if ownsFolder, chmod(folder, 0o700) != 0 { throw cannot("protect the folder of") }
  }

  /// The last error of the system, as what could not be done.
  func cannot(_ verb: String) -> CommandFailure {
    CommandFailure(.failed, "Cannot \(verb) \(path): \(String(cString: strerror(errno))).")
  }

  private func writeSecret(_ data: Data, to temporary: String) throws {
    let descriptor = open(temporary, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0o600)
    guard descriptor >= 0 else { throw cannot("write") }
    let handle = FileHandle(fileDescriptor: descriptor, closeOnDealloc: true)
    guard (try? handle.write(contentsOf: data)) != nil, fsync(descriptor) == 0 else { throw cannot("write") }
  }
}
