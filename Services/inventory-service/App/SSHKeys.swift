import Crypto
import Foundation
import Models
import Persistence

/// The public keys that people keep here for their VMs.
struct SSHKeys: Sendable {
  let store: SSHKeyStore

  func list(_ caller: Caller) -> Listing<SSHKey> { store.listing(caller) }

  func get(_ id: SSHKeyID, _ caller: Caller) async throws -> SSHKey {
    guard let key = try await store.get(id, caller) else { throw ServiceError.notFound(.key) }
    return key
  }

  /// - Throws: `invalid_field`, `conflict`.
  func add(_ request: NewSSHKey, _ origin: RequestOrigin) async throws -> SSHKey {
    try await store.insert(request, fingerprint: try Self.fingerprint(of: request.key), origin)
  }

  func update(_ id: SSHKeyID, _ update: SSHKeyUpdate, _ caller: Caller) async throws -> SSHKey {
    try await store.update(id, update, caller)
  }

  func remove(_ id: SSHKeyID, _ caller: Caller) async throws { try await store.delete(id, caller) }

  /// As `ssh-keygen -l` shows it: SHA-256 of the key's blob (RFC 4253, 6.6), in Base64 without padding.
  /// - Throws: `invalid_field` for what is no public key in OpenSSH's format, such as a private one.
  static func fingerprint(of key: String) throws -> String {
    let words = key.split(separator: " ", omittingEmptySubsequences: true)
    guard !key.contains("PRIVATE KEY") else {
      throw ServiceError.invalid("key", "is a private key. Keep it to yourself; give the .pub file.")
    }
    // A blob begins with the length and the text of its type.
    guard words.count >= 2, let blob = Data(base64Encoded: String(words[1])), blob.count > 4 + words[0].utf8.count,
      Array(blob.prefix(4)) == [0, 0, 0, UInt8(truncatingIfNeeded: words[0].utf8.count)],
      blob.dropFirst(4).starts(with: words[0].utf8)
    else {
      throw ServiceError.invalid("key", "must be a public key in OpenSSH's format, as in a .pub file.")
    }
    let digest = Data(SHA256.hash(data: blob)).base64EncodedString().replacing("=", with: "")
    return "SHA256:\(digest)"
  }
}
