import Foundation

/// A file that only its owner reads, replaced whole.
public enum PrivateFile {
  public static func write(_ data: Data, to path: String) throws {
    let temporary = path + ".part"
    unlink(temporary)
    guard
      FileManager.default.createFile(atPath: temporary, contents: data, attributes: [.posixPermissions: 0o600]),
      rename(temporary, path) == 0
    else { throw FileError(path: path, code: errno) }
  }
}
