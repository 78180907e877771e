import Crypto
import Foundation
import Models

/// What a token carries. The session's row decides whether it is still good.
struct TokenContent: Equatable {
  var user: UserID
  var session: SessionID
  /// Seconds since 1970.
  var authenticatedAt: Int64
  var expiresAt: Int64
}

/// Seals tokens with AES-256-GCM: `v1.<key id>.<nonce, ciphertext and tag in base64url>`. Version, purpose and key id
/// are authenticated too, so that nothing sealed for another purpose is taken for a token.
struct TokenSealer: Sendable {
  let keys: TokenKeys

  private static func additionalData(_ keyID: String) -> Data { Data("swift-iaas session token v1 \(keyID)".utf8) }

  func seal(_ content: TokenContent) throws -> String {
    let key = keys.current[0]
    var plain = Data()
    for uuid in [content.user.uuid, content.session.uuid] {
      withUnsafeBytes(of: uuid.uuid) { plain.append(contentsOf: $0) }
    }
    for number in [content.authenticatedAt, content.expiresAt] {
      withUnsafeBytes(of: number.bigEndian) { plain.append(contentsOf: $0) }
    }
    let box = try AES.GCM.seal(plain, using: key.key, authenticating: Self.additionalData(key.id))
    return "v1.\(key.id).\((box.combined ?? Data()).base64URL)"
  }

  /// Nil unless the token is one of ours, unchanged, and not past its expiry.
  func open(_ token: String, now: Date) -> TokenContent? {
    let parts = token.split(separator: ".", omittingEmptySubsequences: false)
    guard token.utf8.count <= 512, parts.count == 3, parts[0] == "v1",
      let key = keys.current.first(where: { $0.id == parts[1] }), let sealed = Data(base64URL: String(parts[2])),
      let box = try? AES.GCM.SealedBox(combined: sealed),
      let plain = try? AES.GCM.open(box, using: key.key, authenticating: Self.additionalData(key.id)), plain.count == 48
    else { return nil }
    let content = plain.withUnsafeBytes { bytes in
      TokenContent(
        user: UserID(UUID(uuid: bytes.loadUnaligned(fromByteOffset: 0, as: uuid_t.self))),
        session: SessionID(UUID(uuid: bytes.loadUnaligned(fromByteOffset: 16, as: uuid_t.self))),
        authenticatedAt: Int64(bigEndian: bytes.loadUnaligned(fromByteOffset: 32, as: Int64.self)),
        expiresAt: Int64(bigEndian: bytes.loadUnaligned(fromByteOffset: 40, as: Int64.self)))
    }
    return Double(content.expiresAt) > now.timeIntervalSince1970 ? content : nil
  }
}

extension Data {
  /// Base64 for URLs, without padding (RFC 4648, section 5).
  var base64URL: String {
    base64EncodedString().replacing("+", with: "-").replacing("/", with: "_").trimmingCharacters(in: ["="])
  }

  /// Nil unless the text is the one encoding of some bytes: a changed spare bit in the last character is refused.
  init?(base64URL text: String) {
    let plain = text.replacing("-", with: "+").replacing("_", with: "/")
    guard let data = Data(base64Encoded: plain + String(repeating: "=", count: (4 - plain.count % 4) % 4)),
      data.base64URL == text
    else { return nil }
    self = data
  }
}
