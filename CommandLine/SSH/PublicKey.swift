import Crypto
import Foundation

/// A public key in OpenSSH's format, of which no byte is taken on trust: it is written again from what was understood.
struct PublicKey: Equatable, Sendable {
  private static let longest = 16 << 10
  /// The types of keys that an SSH server has (RFC 8709, RFC 5656, RFC 4253).
  private static let names = [
    "ssh-ed25519": "ED25519", "ssh-rsa": "RSA", "ecdsa-sha2-nistp256": "ECDSA", "ecdsa-sha2-nistp384": "ECDSA",
    "ecdsa-sha2-nistp521": "ECDSA",
  ]

  let type: String
  /// As it stands on the wire (RFC 4253, 6.6).
  private let blob: Data

  /// Nil unless the line is a type that is known, the key in base64, and perhaps a comment, which is not kept.
  init?(_ line: String) {
    guard line.utf8.count <= Self.longest, line.utf8.allSatisfy({ $0 >= 0x20 && $0 != 0x7f }) else { return nil }
    let words = line.split(separator: " ", maxSplits: 2)
    guard words.count >= 2, Self.names[String(words[0])] != nil, let blob = Data(base64Encoded: String(words[1])) else {
      return nil
    }
    type = String(words[0])
    self.blob = blob
    guard blob.starts(with: Self.head(of: type)), blob.count > Self.head(of: type).count else { return nil }
  }

  /// Type and key, without a comment.
  var text: String { "\(type) \(blob.base64EncodedString())" }

  /// As `ssh-keygen -l` shows it, and the kind of key.
  var fingerprint: String {
    let digest = Data(SHA256.hash(data: blob)).base64EncodedString().prefix { $0 != "=" }
    return "SHA256:\(digest) (\(Self.names[type] ?? type))"
  }

  /// What the key begins with: its type, after the number of its bytes (RFC 4251, 5).
  private static func head(of type: String) -> Data { Data([0, 0, 0, UInt8(type.utf8.count)]) + Data(type.utf8) }
}
