import Crypto
import Foundation
import ServiceKit
import Synchronization

/// A key of tokens, and the name by which a token says which one sealed it.
struct TokenKey: Sendable {
  let id: String
  let key: SymmetricKey

  init(key: SymmetricKey) {
    self.key = key
    id = SHA256.hash(data: key.withUnsafeBytes { Data($0) }).prefix(4).map { String(format: "%02x", $0) }.joined()
  }
}

/// The file of token keys: one a line, in base64, the one that seals first. Two are good at a time, so that tokens outlive
/// one rotation. Every process reads the file again when it has changed.
final class TokenKeys: Sendable {
  private let path: String
  private let cached: Mutex<(stamp: Stamp, keys: [TokenKey])>

  private struct Stamp: Equatable {
    let inode: UInt64, seconds: Int, nanoseconds: Int
  }

  private static let live = 2

  /// Reads the file, or makes one with a new key.
  /// - Throws: `SettingsError` when others than its owner may read it, or it is damaged.
  init(path: String) throws {
    self.path = path
    if !FileManager.default.fileExists(atPath: path) { _ = try KeyFile.load(path: path) }
    cached = Mutex((try Self.stamp(path), try Self.read(path)))
  }

  init(keys: [SymmetricKey]) {
    path = ""
    cached = Mutex((Stamp(inode: 0, seconds: 0, nanoseconds: 0), keys.map(TokenKey.init)))
  }

  /// The keys that are good now; a file that has become unreadable leaves those that were.
  var current: [TokenKey] {
    cached.withLock { cached in
      if let stamp = try? Self.stamp(path), stamp != cached.stamp, let keys = try? Self.read(path) {
        cached = (stamp, keys)
      }
      return cached.keys
    }
  }

  /// Puts a new key before those there are, and lets go of all but the one before.
  /// - Returns: The new key's id.
  static func rotate(path: String) throws -> String {
    _ = try stamp(path)
    let new = SymmetricKey(size: .bits256)
    let kept = try read(path).prefix(live - 1).map(\.key)
    let lines = ([new] + kept).map { $0.withUnsafeBytes { Data($0) }.base64EncodedString() + "\n" }
    try PrivateFile.write(Data(lines.joined().utf8), to: path)
    return TokenKey(key: new).id
  }

  private static func stamp(_ path: String) throws -> Stamp {
    var status = stat()
    guard stat(path, &status) == 0 else { throw SettingsError("\(path) cannot be read.") }
    guard status.st_mode & 0o077 == 0 else {
      throw SettingsError("\(path) holds keys and must be readable by its owner alone (chmod 600).")
    }
    return Stamp(
      inode: UInt64(status.st_ino), seconds: Int(status.st_mtim.tv_sec), nanoseconds: Int(status.st_mtim.tv_nsec))
  }

  private static func read(_ path: String) throws -> [TokenKey] {
    let text = (try? String(contentsOfFile: path, encoding: .utf8)) ?? ""
    let keys = text.split(whereSeparator: \.isNewline).map { Data(base64Encoded: String($0)) }
    guard (1...live).contains(keys.count), keys.allSatisfy({ $0?.count == 32 }) else {
      throw SettingsError("\(path) must hold one or two keys of 32 bytes in base64, one a line.")
    }
    return keys.compactMap { $0 }.map { TokenKey(key: SymmetricKey(data: $0)) }
  }
}
