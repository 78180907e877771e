import Foundation
import Models
import Postgres

/// The SQL of second factors.
struct SecondFactorStore: Sendable {
  let pool: PostgresPool

  /// - Returns: False while a confirmed one is in force.
  func propose(_ sealed: Data, for user: UserID) async throws -> Bool {
    try await pool.execute(
      """
      UPDATE auth.users SET totp_secret = \(sealed), totp_step = 0 WHERE id = \(user.uuid) AND NOT totp_confirmed
      """) == 1
  }

  func secret(of user: UserID, confirmed: Bool) async throws -> Data? {
    try await pool.first(
      """
      SELECT totp_secret FROM auth.users WHERE id = \(user.uuid) AND totp_confirmed = \(confirmed)
        AND totp_secret IS NOT NULL
      """
    ) { try $0("totp_secret") }
  }

  /// Puts the secret into force and stores the recovery codes, together.
  /// - Returns: False when it is another secret by now.
  func confirm(_ user: UserID, sealed: Data, step: Int64, digests: [Data]) async throws -> Bool {
    try await pool.transaction { connection in
      let confirmed = try connection.execute(
        """
        UPDATE auth.users SET totp_confirmed = true, totp_step = \(step)
        WHERE id = \(user.uuid) AND NOT totp_confirmed AND totp_secret = \(sealed)
        """
      ).affected
      guard confirmed == 1 else { return false }
      _ = try connection.execute("DELETE FROM auth.recovery_codes WHERE user_id = \(user.uuid)")
      for digest in digests {
        _ = try connection.execute(
          "INSERT INTO auth.recovery_codes (user_id, digest) VALUES (\(user.uuid), \(digest))")
      }
      return true
    }
  }

  /// - Returns: Whether no code of this step or a later one was used before.
  func useStep(_ step: Int64, of user: UserID) async throws -> Bool {
    try await pool.execute(
      "UPDATE auth.users SET totp_step = \(step) WHERE id = \(user.uuid) AND totp_confirmed AND totp_step < \(step)"
    ) == 1
  }

  /// - Returns: Whether it was one of the user's codes, which it is no longer.
  func useRecovery(_ digest: Data, of user: UserID) async throws -> Bool {
    try await pool.execute(
      "DELETE FROM auth.recovery_codes WHERE user_id = \(user.uuid) AND digest = \(digest)") == 1
  }

  func remove(from user: UserID) async throws {
    try await pool.transaction { connection in
      _ = try connection.execute(
        """
        UPDATE auth.users SET totp_secret = NULL, totp_confirmed = false, totp_step = 0 WHERE id = \(user.uuid)
        """)
      _ = try connection.execute("DELETE FROM auth.recovery_codes WHERE user_id = \(user.uuid)")
    }
  }
}
