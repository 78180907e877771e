import Crypto
import Foundation
import Models
import ServiceKit

/// The second factor of an account: enrolled, confirmed, used, and taken away.
struct SecondFactor: Sendable {
  let store: SecondFactorStore
  let seal: SealBox
  /// What authenticator apps show beside the account.
  let issuer: String

  private static let recoveryCodes = 10
  private static let wrong = ServiceError(.invalidCredentials, "The code is wrong, or was used already.")

  /// Makes a secret, which does not count before it is confirmed.
  /// - Throws: `conflict` while another one is in force.
  func enrol(_ user: UserID, email: String) async throws -> TOTPEnrolment {
    let secret = TOTP.makeSecret()
    guard try await store.propose(try seal.seal(secret), for: user) else {
      throw ServiceError(.conflict, "There is a second factor already; disable it first.")
    }
    return TOTPEnrolment(
      id: user, secret: TOTP.base32(secret), url: TOTP.url(secret: secret, account: email, issuer: issuer))
  }

  /// Puts the proposed secret into force, for whoever shows a code of it.
  /// - Throws: `invalid_credentials`, `invalid_state`.
  func confirm(_ user: UserID, code: String) async throws -> RecoveryCodes {
    guard let sealed = try await store.secret(of: user, confirmed: false) else {
      throw ServiceError(.invalidState, "There is no second factor that waits for its code; begin with one.")
    }
    guard let step = TOTP.step(of: code, secret: try seal.open(sealed), at: Date()) else { throw Self.wrong }
    let codes = (0..<Self.recoveryCodes).map { _ in Self.recoveryCode() }
    guard try await store.confirm(user, sealed: sealed, step: step, digests: codes.map(Self.digest)) else {
      throw Self.wrong
    }
    return RecoveryCodes(id: user, recoveryCodes: codes)
  }

  /// Uses a code up: of the app, or a recovery code.
  /// - Throws: `invalid_credentials`.
  func use(_ code: String, of user: UserID) async throws {
    let code = code.filter { !$0.isWhitespace && $0 != "-" }.uppercased()
    // A secret that can no longer be opened leaves the recovery codes.
    if let sealed = try await store.secret(of: user, confirmed: true), let secret = try? seal.open(sealed),
      let step = TOTP.step(of: code, secret: secret, at: Date()),
      try await store.useStep(step, of: user)
    {
      return
    }
    guard code.utf8.count == 16, try await store.useRecovery(Self.digest(code), of: user) else { throw Self.wrong }
  }

  func remove(from user: UserID) async throws { try await store.remove(from: user) }

  /// 80 random bits; what is hashed cannot be guessed.
  private static func recoveryCode() -> String {
    TOTP.base32(Data((0..<10).map { _ in UInt8.random(in: .min ... .max) }))
  }

  private static func digest(_ code: String) -> Data { Data(SHA256.hash(data: Data(code.utf8))) }
}
