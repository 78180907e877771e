import Crypto
import Foundation
import Models

/// Seals the agents' secrets for the database, so that a dump of it opens no host.
struct SealBox: Sendable {
  private let key: SymmetricKey
  private static let purpose = Data("swift-iaas agent secret v1".utf8)

  init(key: SymmetricKey) { self.key = key }

  func seal(_ secret: String) throws -> Data {
    let box = try AES.GCM.seal(Data(secret.utf8), using: key, authenticating: Self.purpose)
    return box.combined ?? Data()
  }

  /// - Throws: When the sealed bytes were changed or the key is another one.
  func open(_ sealed: Data) throws -> String {
    let plain = try AES.GCM.open(AES.GCM.SealedBox(combined: sealed), using: key, authenticating: Self.purpose)
    return String(decoding: plain, as: UTF8.self)
  }
}
