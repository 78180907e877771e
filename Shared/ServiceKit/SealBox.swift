import Crypto
import Foundation

/// Seals secrets for the database, so that a dump of it tells none of them (AES-256-GCM).
public struct SealBox: Sendable {
  private let key: SymmetricKey
  private let purpose: Data

  /// - Parameter purpose: What is sealed; nothing that was sealed for another purpose can be opened.
  public init(key: SymmetricKey, purpose: String) {
    self.key = key
    self.purpose = Data(purpose.utf8)
  }

  /// A secret of our own making that is the same whenever it is made for the same (RFC 5869).
  public func derive(for context: String) -> Data {
    HKDF<SHA256>.deriveKey(
      inputKeyMaterial: key, salt: purpose, info: Data("derived \(context)".utf8), outputByteCount: 32
    ).withUnsafeBytes { Data($0) }
  }

  public func seal(_ secret: Data) throws -> Data {
    try AES.GCM.seal(secret, using: key, authenticating: purpose).combined ?? Data()
  }

  /// - Throws: When the sealed bytes were changed, or the key or the purpose is another one.
  public func open(_ sealed: Data) throws -> Data {
    try AES.GCM.open(AES.GCM.SealedBox(combined: sealed), using: key, authenticating: purpose)
  }
}
