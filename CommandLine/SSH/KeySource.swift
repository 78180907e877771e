import Foundation

/// Public keys as people give them: in files as `ssh-keygen` writes them, or as they are.
enum KeySource {
  private static let largest = 64 << 10
  /// What a key begins with, and no name of a file is likely to.
  private static let beginnings = ["ssh-", "ecdsa-sha2-", "sk-ssh-", "sk-ecdsa-"]

  /// The keys of a file, one a line; or the text itself, if it is a key.
  /// - Throws: `CommandFailure` for a file that holds none, or a private one.
  static func read(_ source: String) throws -> [String] {
    let isKey = source.contains(" ") && beginnings.contains { source.hasPrefix($0) }
    let text = isKey ? source : try TextFile.read(source, largest: largest)
    let name = isKey ? "What you gave" : source
    guard !text.contains("PRIVATE KEY") else {
      throw CommandFailure(.usage, "\(name) holds a private key, which must stay on this machine. Give the .pub file.")
    }
    let keys = text.split(whereSeparator: \.isNewline).map { $0.trimmingCharacters(in: .whitespaces) }
      .filter { !$0.isEmpty && !$0.hasPrefix("#") }
    guard !keys.isEmpty, keys.allSatisfy({ $0.split(separator: " ").count >= 2 }) else {
      throw CommandFailure(.usage, "\(name) is not a public key in OpenSSH's format.")
    }
    return keys
  }

  /// The one key of a file or a text.
  /// - Throws: as `read`, and when there are several.
  static func readOne(_ source: String) throws -> String {
    let keys = try read(source)
    guard let key = keys.first, keys.count == 1 else {
      throw CommandFailure(.usage, "\(source) holds \(keys.count) keys. Give one at a time.")
    }
    return key
  }
}
