import Foundation
import Models
import Persistence
import Postgres
import Query

/// The SQL of users.
struct UserStore: Sendable {
  let pool: PostgresPool

  private static let columns: SQL = "id, email, admin, created_at, last_login_at"

  private static func user(_ row: PostgresRow) throws -> User {
    User(
      id: UserID(try row("id")), email: try row("email"), admin: try row("admin"), createdAt: try row("created_at"),
      lastLoginAt: try row.optional("last_login_at"))
  }

  /// Administrators see everyone, others themselves.
  func listing(_ caller: Caller) -> Listing<User> {
    Listing(
      pool: pool, columns: Self.columns, source: "auth.users", id: "id",
      visible: caller.admin ? "true" : "id = \(caller.user.uuid)",
      fields: QuerySchema([
        QueryField("id", .identifier, "id"), QueryField("email", .caseInsensitiveText, "email"),
        QueryField("admin", .boolean, "admin"), QueryField("createdAt", .time, "created_at"),
        QueryField("lastLoginAt", .time, "last_login_at"),
      ]),
      sortKeys: [
        SortKey("createdAt", "created_at", as: "timestamptz"), SortKey("email", "email", as: "text"),
        // As the other lists call it.
        SortKey("name", "email", as: "text"),
      ],
      count: caller.admin
        ? "SELECT coalesce(sum(number), 0)::bigint AS total FROM auth.counts WHERE collection = 'users'" : nil,
      decode: Self.user)
  }

  /// The users of the ids and e-mails; those that nobody has are left out.
  func names(_ lookup: UserLookup) async throws -> [UserName] {
    try await pool.rows(
      """
      SELECT id, email FROM auth.users WHERE id = ANY (\(lookup.ids.map(\.uuid))::uuid[])
      UNION SELECT id, email FROM auth.users
        WHERE lower(email) IN (SELECT lower(e) FROM unnest(\(lookup.emails)::text[]) AS e)
      """
    ) { UserName(id: UserID(try $0("id", as: UUID.self)), email: try $0("email")) }
  }

  func get(_ id: UserID) async throws -> User? {
    try await pool.first("SELECT \(Self.columns) FROM auth.users WHERE id = \(id.uuid)", Self.user)
  }

  /// The user of an e-mail, in any case, with the hash of the password.
  func credentials(email: String) async throws -> (user: User, hash: String)? {
    try await pool.first(
      "SELECT \(Self.columns), password_hash FROM auth.users WHERE lower(email) = lower(\(email))"
    ) { row in (try Self.user(row), try row("password_hash")) }
  }

  /// - Throws: `conflict` when the e-mail is taken; the unique index decides.
  func insert(email: String, hash: String, admin: Bool) async throws -> User {
    do {
      let id = UserID.make()
      return try await pool.rows(
        """
        INSERT INTO auth.users (id, email, password_hash, admin) VALUES (\(id.uuid), \(email), \(hash), \(admin))
        RETURNING \(Self.columns)
        """, Self.user)[0]
    } catch let error as PostgresError where error.isUniqueViolation {
      throw ServiceError(.conflict, "There is a user with this e-mail already.")
    }
  }

  /// Adds the first administrator, once however many replicas start at the same time.
  /// - Returns: Whether this call added it.
  func insertFirst(email: String, hash: String) async throws -> Bool {
    try await pool.transaction { connection in
      _ = try connection.execute("SELECT pg_advisory_xact_lock(hashtext('auth.first'))")
      return try connection.execute(
        """
        INSERT INTO auth.users (id, email, password_hash, admin)
        SELECT \(UserID.make().uuid), \(email), \(hash), true WHERE NOT EXISTS (SELECT FROM auth.users)
        """
      ).affected == 1
    }
  }

  func isEmpty() async throws -> Bool {
    try await pool.first("SELECT NOT EXISTS (SELECT FROM auth.users) AS empty") { try $0("empty") } ?? true
  }

  /// Removes a user and, by the foreign key, their sessions.
  /// - Throws: `not_found`; `conflict` for the last administrator, also when two are removed at once.
  func delete(_ id: UserID) async throws {
    try await pool.transaction { connection in
      try Self.requireRemovable(id, with: connection)
      guard try connection.execute("DELETE FROM auth.users WHERE id = \(id.uuid)").affected == 1 else {
        throw ServiceError.notFound(.user)
      }
    }
  }

  /// - Throws: `not_found`; `conflict` for the last administrator.
  func requireRemovable(_ id: UserID) async throws {
    guard try await get(id) != nil else { throw ServiceError.notFound(.user) }
    try await pool.transaction { try Self.requireRemovable(id, with: $0) }
  }

  private static func requireRemovable(_ id: UserID, with connection: isolated PostgresConnection) throws {
    let administrators = try connection.execute("SELECT id FROM auth.users WHERE admin ORDER BY id FOR UPDATE")
      .map { UserID(try $0("id")) }
    if administrators == [id] {
      throw ServiceError(.conflict, "This is the last administrator; make another one first.")
    }
  }

  func updateHash(_ hash: String, of id: UserID) async throws {
    try await pool.execute("UPDATE auth.users SET password_hash = \(hash) WHERE id = \(id.uuid)")
  }
}
