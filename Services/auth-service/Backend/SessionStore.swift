import Foundation
import Models
import Postgres

/// How long sessions last, in seconds.
struct SessionLifetimes: Sendable {
  /// Without being used.
  var idle: Int
  /// However much they are used.
  var absolute: Int
}

/// The SQL of sessions.
struct SessionStore: Sendable {
  let pool: PostgresPool
  let lifetimes: SessionLifetimes

  private static let columns: SQL = "s.id, s.created_at, s.last_used_at, s.expires_at, s.address, s.client"

  private static func session(_ row: PostgresRow) throws -> Session {
    Session(
      id: SessionID(try row("id", as: UUID.self)), createdAt: try row("created_at"),
      lastUsedAt: try row("last_used_at"),
      expiresAt: try row("expires_at"), address: try row.optional("address"), client: try row.optional("client"))
  }

  private var isLive: SQL {
    "s.expires_at > now() AND s.last_used_at > now() - \(lifetimes.idle) * interval '1 second'"
  }

  /// Opens a session and notes the log-in, if the account is as it was when its password was compared.
  func open(for user: UserID, hash: String, address: String?, client: String?) async throws -> Session? {
    try await pool.transaction { connection in
      let open = try connection.execute(
        """
        UPDATE auth.users SET last_login_at = now()
        WHERE id = \(user.uuid) AND NOT disabled AND password_hash = \(hash)
        """
      ).affected
      guard open == 1 else { return nil }
      return try connection.execute(
        """
        INSERT INTO auth.sessions AS s (id, user_id, expires_at, address, client)
        VALUES (\(SessionID.make().uuid), \(user.uuid), now() + \(lifetimes.absolute) * interval '1 second',
          \(address), \(client))
        RETURNING \(Self.columns)
        """
      ).map(Self.session)[0]
    }
  }

  /// The session and its user as they are now; nil when the session has ended. The database's clock decides. That it was
  /// used is noted now and then, and the intent, where there is one, every time.
  func verify(_ id: SessionID, of user: UserID, _ intent: AuditIntent?) async throws -> VerifiedSession? {
    // Often enough for the idle time, and seldom enough to cost nothing.
    let granularity = min(60, max(lifetimes.idle / 4, 1))
    return try await pool.withConnection { connection in
      let found = try connection.execute(
        """
        SELECT s.id AS session_id, s.created_at AS session_created_at, s.last_used_at, s.expires_at, s.address, s.client,
          \(UserStore.columns), u.quota_revision,
          s.last_used_at < now() - \(granularity) * interval '1 second' AS is_stale
        FROM auth.sessions s JOIN auth.users u ON u.id = s.user_id
        WHERE s.id = \(id.uuid) AND s.user_id = \(user.uuid) AND NOT u.disabled AND \(isLive)
        """
      ).first { row in
        let session = Session(
          id: id, createdAt: try row("session_created_at"), lastUsedAt: try row("last_used_at"),
          expiresAt: try row("expires_at"), address: try row.optional("address"), client: try row.optional("client"),
          current: true)
        let verified = VerifiedSession(
          user: try UserStore.user(row), session: session, quotaRevision: try row("quota_revision"))
        return (verified, try row("is_stale", as: Bool.self))
      }
      guard let (seen, isStale) = found else { return nil }
      var verified = seen
      if isStale {
        _ = try connection.execute("UPDATE auth.sessions SET last_used_at = now() WHERE id = \(id.uuid)")
      }
      if let intent {
        verified.audit = try AuditStore.insert(intent, actor: user, status: nil, with: connection)
      }
      return verified
    }
  }

  func list(of user: UserID) async throws -> [Session] {
    try await pool.rows(
      """
      SELECT \(Self.columns) FROM auth.sessions s WHERE s.user_id = \(user.uuid) AND \(isLive)
      ORDER BY s.created_at, s.id
      """, Self.session)
  }

  /// - Returns: Whether the user had such a session.
  func end(_ id: SessionID, of user: UserID) async throws -> Bool {
    try await pool.execute("DELETE FROM auth.sessions WHERE id = \(id.uuid) AND user_id = \(user.uuid)") == 1
  }

  func sweep() async throws { try await pool.execute("DELETE FROM auth.sessions s WHERE NOT (\(isLive))") }
}
