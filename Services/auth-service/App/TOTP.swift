import Crypto
import Foundation

/// One-time codes of the time (RFC 6238): HMAC-SHA-1, six digits, steps of 30 seconds, as all authenticator apps know them.
enum TOTP {
  /// Bytes of a secret (RFC 4226, section 4).
  static let secretLength = 20
  private static let stepSeconds = 30.0
  /// Steps before and after the present one that are taken too, for clocks that are not quite right.
  private static let drift: Int64 = 1

  static func makeSecret() -> Data { Data((0..<secretLength).map { _ in UInt8.random(in: .min ... .max) }) }

  /// The step whose code this is; nil when it is none of those around the time.
  static func step(of code: String, secret: Data, at time: Date) -> Int64? {
    guard code.utf8.count == 6, code.utf8.allSatisfy({ (0x30...0x39).contains($0) }) else { return nil }
    let now = Int64(time.timeIntervalSince1970 / stepSeconds)
    return (now - drift...now + drift).first { self.code(secret: secret, step: $0) == code }
  }

  static func code(secret: Data, at time: Date) -> String {
    code(secret: secret, step: Int64(time.timeIntervalSince1970 / stepSeconds))
  }

  /// RFC 4226, 5.3.
  private static func code(secret: Data, step: Int64) -> String {
    let message = withUnsafeBytes(of: step.bigEndian) { Data($0) }
    let digest = Array(
      HMAC<Insecure.SHA1>.authenticationCode(for: message, using: SymmetricKey(data: secret)))
    let offset = Int(digest[19] & 0x0f)
    let number = digest[offset..<(offset + 4)].reduce(0) { $0 << 8 | UInt32($1) } & 0x7fff_ffff
    return String(format: "%06u", number % 1_000_000)
  }

  /// For authenticator apps (the format of Google Authenticator's "Key Uri").
  static func url(secret: Data, account: String, issuer: String) -> String {
    var parts = URLComponents()
    parts.scheme = "otpauth"
    parts.host = "totp"
    parts.path = "/\(issuer):\(account)"
    parts.queryItems = [
      URLQueryItem(name: "secret", value: base32(secret)), URLQueryItem(name: "issuer", value: issuer),
      URLQueryItem(name: "algorithm", value: "SHA1"), URLQueryItem(name: "digits", value: "6"),
      URLQueryItem(name: "period", value: "30"),
    ]
    return parts.string ?? ""
  }

  /// RFC 4648, section 6, without padding.
  static func base32(_ data: Data) -> String {
    let alphabet = Array("ABCDEFGHIJKLMNOPQRSTUVWXYZ234567")
    var text = ""
    var (buffer, bits) = (UInt32(0), 0)
    for byte in data {
      buffer = (buffer << 8 | UInt32(byte)) & 0xffff
      bits += 8
      while bits >= 5 {
        bits -= 5
        text.append(alphabet[Int(buffer >> UInt32(bits) & 31)])
      }
    }
    if bits > 0 { text.append(alphabet[Int(buffer << UInt32(5 - bits) & 31)]) }
    return text
  }
}
