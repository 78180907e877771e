import Crypto
import Foundation

/// A file that holds a random key, made at the first start.
public enum KeyFile {
  /// Reads a 256-bit key, or makes one: written whole beside the file and linked into place, so that of two
  /// processes that start at once both use the same.
  /// - Throws: `SettingsError` when the file is readable by others than its owner, or damaged.
  public static func load(path: String) throws -> SymmetricKey {
    if !FileManager.default.fileExists(atPath: path) { try make(path: path) }
    var status = stat()
    guard stat(path, &status) == 0, status.st_mode & 0o077 == 0 else {
      throw SettingsError("\(path) holds a key and must be readable by its owner alone (chmod 600).")
    }
    guard let text = try? String(contentsOfFile: path, encoding: .utf8),
      let key = Data(base64Encoded: text.trimmingCharacters(in: .whitespacesAndNewlines)), key.count == 32
    else { throw SettingsError("\(path) does not hold a key of 32 bytes in base64.") }
    return SymmetricKey(data: key)
  }

  private static func make(path: String) throws {
    let temporary = "\(path).\(getpid())"
    let text = SymmetricKey(size: .bits256).withUnsafeBytes { Data($0) }.base64EncodedString() + "\n"
    guard
      FileManager.default.createFile(
        atPath: temporary, contents: Data(text.utf8), attributes: [.posixPermissions: 0o600])
    else { throw SettingsError("\(path) cannot be written.") }
    defer { unlink(temporary) }
    guard link(temporary, path) == 0 || errno == EEXIST else { throw SettingsError("\(path) cannot be written.") }
  }
}
