import Foundation
import Models
import Postgres

/// The SQL of sessions.
struct SessionStore: Sendable {
  let pool: PostgresPool

  private static func session(_ row: PostgresRow) throws -> Session {
    Session(id: SessionID(try row("id")), createdAt: try row("created_at"), expiresAt: try row("expires_at"))
  }

  /// Opens a session and notes the log-in.
  func open(for user: UserID, lifetimeSeconds: Int) async throws -> Session {
    try await pool.transaction { connection in
      _ = try connection.execute("UPDATE auth.users SET last_login_at = now() WHERE id = \(user.uuid)")
      return try connection.execute(
        """
        INSERT INTO auth.sessions (id, user_id, expires_at)
        VALUES (\(SessionID.make().uuid), \(user.uuid), now() + \(lifetimeSeconds) * interval '1 second')
        RETURNING id, created_at, expires_at
        """
      ).map(Self.session)[0]
    }
  }

  /// The session and its user as they are now; nil when the session has ended. The database's clock decides.
  func verify(_ id: SessionID, of user: UserID) async throws -> VerifiedSession? {
    try await pool.first(
      """
      SELECT s.id, s.created_at, s.expires_at, u.id AS user_id, u.email, u.admin, u.created_at AS user_created_at,
        u.last_login_at
      FROM auth.sessions s JOIN auth.users u ON u.id = s.user_id
      WHERE s.id = \(id.uuid) AND s.user_id = \(user.uuid) AND s.expires_at > now()
      """
    ) { row in
      VerifiedSession(
        user: User(
          id: UserID(try row("user_id")), email: try row("email"), admin: try row("admin"),
          createdAt: try row("user_created_at"), lastLoginAt: try row.optional("last_login_at")),
        session: try Self.session(row))
    }
  }

  /// - Returns: Whether the user had such a session.
  func end(_ id: SessionID, of user: UserID) async throws -> Bool {
    try await pool.execute("DELETE FROM auth.sessions WHERE id = \(id.uuid) AND user_id = \(user.uuid)") == 1
  }

  func sweep() async throws { try await pool.execute("DELETE FROM auth.sessions WHERE expires_at < now()") }
}
