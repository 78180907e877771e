import Foundation

/// Public keys in files as `ssh-keygen` writes them.
enum SSHKey {
  private static let largest = 64 << 10

  /// The keys of a file, one a line.
  /// - Throws: `CommandFailure` for a file that holds none, or a private one.
  static func read(_ path: String) throws -> [String] {
    let text = try TextFile.read(path, largest: largest)
    guard !text.contains("PRIVATE KEY") else {
      throw CommandFailure(.usage, "\(path) holds a private key, which must stay on this machine. Give the .pub file.")
    }
    let keys = text.split(whereSeparator: \.isNewline).map { $0.trimmingCharacters(in: .whitespaces) }
      .filter { !$0.isEmpty && !$0.hasPrefix("#") }
    guard !keys.isEmpty, keys.allSatisfy({ $0.split(separator: " ").count >= 2 }) else {
      throw CommandFailure(.usage, "\(path) is not a public key in OpenSSH's format.")
    }
    return keys
  }
}
