import Crypto
import Foundation
import Models
import ServiceKit

/// The bytes of images for agents that do not see the image store: by a URL that is signed, holds for one image, and for
/// an hour.
struct ImageContent: Sendable {
  /// Where agents reach this service.
  private let base: String
  private let key: SymmetricKey
  private let store: ImageImportStore
  private let files: ImageFiles

  /// Seconds that a URL holds. A download that takes longer goes on under the next one.
  private static let lifetime = 3600.0

  /// - Parameter secret: The installation's key, from which this one is derived (RFC 5869).
  init(base: String, secret: SymmetricKey, store: ImageImportStore, files: ImageFiles) {
    self.base = base.hasSuffix("/") ? String(base.dropLast()) : base
    key = HKDF<SHA256>.deriveKey(
      inputKeyMaterial: secret, info: Data("swift-iaas image content v1".utf8), outputByteCount: 32)
    self.store = store
    self.files = files
  }

  func url(of image: ImageID, at time: Date = Date()) -> String {
    let expires = Int(time.timeIntervalSince1970 + Self.lifetime)
    let signature = HMAC<SHA256>.authenticationCode(for: Self.signed(image, expires), using: key)
    let text = signature.map { String(format: "%02x", $0) }.joined()
    return "\(base)/v1/content/\(image)?expires=\(expires)&signature=\(text)"
  }

  /// The file that a URL is good for.
  /// - Throws: `unauthenticated` for a URL that was not signed here or has ended, `not_found`.
  func path(of image: ImageID, _ parameters: QueryString) async throws -> String {
    guard let expires = parameters["expires"].flatMap({ Int($0) }), let signature = parameters["signature"],
      let code = Self.bytes(signature),
      HMAC<SHA256>.isValidAuthenticationCode(code, authenticating: Self.signed(image, expires), using: key),
      Double(expires) > Date().timeIntervalSince1970
    else { throw ServiceError(.unauthenticated, "This URL does not hold, or no longer.") }
    guard try await store.isStored(image) else { throw ServiceError.notFound(.image) }
    return files.file(of: image)
  }

  private static func signed(_ image: ImageID, _ expires: Int) -> Data { Data("\(image) \(expires)".utf8) }

  private static func bytes(_ hexadecimal: String) -> [UInt8]? {
    let digits = hexadecimal.utf8.compactMap { Character(Unicode.Scalar($0)).hexDigitValue }
    guard digits.count == 64, hexadecimal.utf8.count == 64 else { return nil }
    return stride(from: 0, to: 64, by: 2).map { UInt8(digits[$0] << 4 | digits[$0 + 1]) }
  }
}
