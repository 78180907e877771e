import Crypto
import CryptoExtras
import Foundation

/// A PBKDF2-SHA256 string of another system: `$pbkdf2-sha256$29000$salt$hash` as passlib writes it, or
/// `$pbkdf2-sha256$i=600000,l=32$salt$hash` in PHC's form. It is only ever read: a log-in replaces it.
struct PBKDF2Hash {
  private let rounds: Int
  private let salt: Data
  private let digest: Data

  /// Rounds that a log-in may cost at most.
  private static let mostRounds = 5_000_000

  init?(_ text: String) {
    let parts = text.split(separator: "$", omittingEmptySubsequences: false)
    guard parts.count == 5, parts[0].isEmpty, parts[1] == "pbkdf2-sha256", let rounds = Self.rounds(parts[2]),
      (1...Self.mostRounds).contains(rounds), let salt = Self.bytes(parts[3]), (8...1024).contains(salt.count),
      let digest = Self.bytes(parts[4]), (16...64).contains(digest.count)
    else { return nil }
    self.rounds = rounds
    self.salt = salt
    self.digest = digest
  }

  /// Compares in constant time.
  func fits(_ password: String) throws -> Bool {
    let key = try KDF.Insecure.PBKDF2.deriveKey(
      from: Data(password.utf8), salt: salt, using: .sha256, outputByteCount: digest.count,
      unsafeUncheckedRounds: rounds)
    let derived = key.withUnsafeBytes { Array($0) }
    return zip(derived, digest).reduce(0) { $0 | ($1.0 ^ $1.1) } == 0
  }

  private static func rounds(_ text: Substring) -> Int? {
    if let rounds = Int(text) { return rounds }
    return text.split(separator: ",").first { $0.hasPrefix("i=") }.flatMap { Int($0.dropFirst(2)) }
  }

  /// Base64 without padding; passlib writes a dot for the plus sign.
  private static func bytes(_ text: Substring) -> Data? {
    let plain = text.replacing(".", with: "+")
    return Data(base64Encoded: plain + String(repeating: "=", count: (4 - plain.utf8.count % 4) % 4))
  }
}
