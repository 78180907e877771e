import Foundation
import Models
import Persistence
import Postgres
import Query

/// The SQL of users.
struct UserStore: Sendable {
  let pool: PostgresPool

  static let columns: SQL = """
    u.id, u.email, u.admin, u.disabled, u.totp_confirmed, u.quota, u.created_at, u.last_login_at
    """

  static func user(_ row: PostgresRow) throws -> User {
    let quota: String = try row("quota")
    return User(
      id: UserID(try row("id", as: UUID.self)), email: try row("email"), admin: try row("admin"),
      disabled: try row("disabled"), totp: try row("totp_confirmed"),
      quota: try JSONDecoder().decode(Quota.self, from: Data(quota.utf8)), createdAt: try row("created_at"),
      lastLoginAt: try row.optional("last_login_at"))
  }

  /// Administrators see everyone, others themselves.
  func listing(_ caller: Caller) -> Listing<User> {
    Listing(
      pool: pool, columns: Self.columns, source: "auth.users u", id: "u.id",
      visible: caller.admin ? "true" : "u.id = \(caller.user.uuid)",
      fields: QuerySchema([
        QueryField("id", .identifier, "u.id"), QueryField("email", .caseInsensitiveText, "u.email"),
        QueryField("admin", .boolean, "u.admin"), QueryField("disabled", .boolean, "u.disabled"),
        QueryField("totp", .boolean, "u.totp_confirmed"), QueryField("createdAt", .time, "u.created_at"),
        QueryField("lastLoginAt", .time, "u.last_login_at"),
      ]),
      sortKeys: [
        SortKey("createdAt", "u.created_at", as: "timestamptz"), SortKey("email", "u.email", as: "text"),
        // As the other lists call it.
        SortKey("name", "u.email", as: "text"),
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
    try await pool.first("SELECT \(Self.columns) FROM auth.users u WHERE u.id = \(id.uuid)", Self.user)
  }

  /// The user of an e-mail, in any case, with the hash of the password.
  func credentials(email: String) async throws -> (user: User, hash: String)? {
    try await credentials(where: "lower(u.email) = lower(\(email))")
  }

  func credentials(of id: UserID) async throws -> (user: User, hash: String)? {
    try await credentials(where: "u.id = \(id.uuid)")
  }

  private func credentials(where condition: SQL) async throws -> (user: User, hash: String)? {
    try await pool.first("SELECT \(Self.columns), u.password_hash FROM auth.users u WHERE \(condition)") { row in
      (try Self.user(row), try row("password_hash"))
    }
  }

  /// - Parameter invitation: The digest of an invitation that is used up; nil when none is needed.
  /// - Throws: `conflict` when the e-mail is taken; the unique index decides. `forbidden` for an invitation that does not
  ///   hold.
  func insert(_ record: UserRecord, invitation: Data) async throws -> User {
    try await insertOnce { connection in
      guard try InvitationStore.use(invitation, with: connection) else {
        throw ServiceError(.forbidden, "The invitation does not hold, or no longer; ask for another one.")
      }
      return try Self.insert(record, with: connection)
    }
  }

  /// - Parameter origin: Who asks, perhaps again; nil for strangers.
  func insert(_ record: UserRecord, _ origin: RequestOrigin?) async throws -> User {
    try await insertOnce { connection in
      guard let origin else { return try Self.insert(record, with: connection) }
      return try Idempotency.auth.once(origin, Self.adding, record.open, with: connection) { connection in
        try Self.insert(record, with: connection)
      }
    }
  }

  private func insertOnce(
    _ body: @escaping @Sendable (isolated PostgresConnection) throws -> User
  ) async throws -> User {
    do { return try await pool.transaction(body) } catch let error as PostgresError where error.isUniqueViolation {
      throw Self.taken
    }
  }

  private static func insert(_ record: UserRecord, with connection: isolated PostgresConnection) throws -> User {
    try connection.execute(
      """
      INSERT INTO auth.users AS u (id, email, password_hash, admin, quota)
      VALUES (\(UserID.make().uuid), \(record.email), \(record.hash), \(record.admin), \(try record.quota.text))
      RETURNING \(columns)
      """
    ).map(user)[0]
  }

  private static let adding = "POST users"

  /// The user whom the same request has added already.
  func answered(_ record: UserRecord, _ origin: RequestOrigin) async throws -> User? {
    try await Idempotency.auth.answer(to: origin, Self.adding, record.open, in: pool)
  }

  private static let taken = ServiceError(.conflict, "There is a user with this e-mail already.")

  /// Writes what is given. A new password, and disablement, end all sessions in the same transaction.
  /// - Parameter expectedHash: The hash that the caller's present password was compared with.
  /// - Throws: `not_found`; `conflict` when the e-mail is taken, when the password was changed meanwhile, and for the last
  ///   enabled administrator.
  func update(
    _ id: UserID, _ update: UserUpdate, hash: String?, expectedHash: String?
  ) async throws -> ChangedUser {
    do {
      return try await pool.transaction { connection in
        if update.admin == false || update.disabled == true { try Self.requireOther(than: id, with: connection) }
        let user = try connection.execute(
          """
          UPDATE auth.users u SET email = coalesce(\(update.email), u.email),
            password_hash = coalesce(\(hash), u.password_hash), admin = coalesce(\(update.admin), u.admin),
            disabled = coalesce(\(update.disabled), u.disabled), quota = coalesce(\(try update.quota?.text), u.quota),
            quota_revision = u.quota_revision + \(update.quota == nil && update.admin == nil ? 0 : 1)
          WHERE u.id = \(id.uuid) AND u.password_hash = coalesce(\(expectedHash), u.password_hash)
          RETURNING \(Self.columns), u.quota_revision
          """
        ).first { ChangedUser(user: try Self.user($0), quotaRevision: try $0("quota_revision")) }
        guard let user else {
          throw expectedHash == nil
            ? ServiceError.notFound(.user)
            : ServiceError(.conflict, "The password was changed by another request; log in again.")
        }
        if hash != nil || update.disabled == true {
          _ = try connection.execute("DELETE FROM auth.sessions WHERE user_id = \(id.uuid)")
        }
        return user
      }
    } catch let error as PostgresError where error.isUniqueViolation { throw Self.taken }
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

  /// Removes a user and, by the foreign keys, their sessions and codes; the audit log forgets their addresses.
  /// - Throws: `not_found`; `conflict` for the last administrator, also when two are removed at once.
  func delete(_ id: UserID) async throws {
    try await pool.transaction { connection in
      try Self.requireOther(than: id, with: connection)
      let email = try connection.execute("DELETE FROM auth.users WHERE id = \(id.uuid) RETURNING email").first {
        try $0("email", as: String.self)
      }
      guard let email else { throw ServiceError.notFound(.user) }
      _ = try connection.execute("DELETE FROM auth.attempts WHERE key = \(LoginGuard.key(ofAccount: email))")
      _ = try connection.execute("DELETE FROM auth.invitations WHERE created_by = \(id.uuid)")
      _ = try connection.execute(
        """
        UPDATE auth.audit SET address = NULL
        WHERE (actor = \(id.uuid) OR (actor IS NULL AND resource = \(id.uuid))) AND address IS NOT NULL
        """)
    }
  }

  /// Locks the administrators who are enabled, so that of two changes at once the second sees the first.
  private static func requireOther(than id: UserID, with connection: isolated PostgresConnection) throws {
    let administrators = try connection.execute(
      "SELECT id FROM auth.users WHERE admin AND NOT disabled ORDER BY id FOR UPDATE"
    ).map { UserID(try $0("id", as: UUID.self)) }
    if administrators == [id] {
      throw ServiceError(.conflict, "This is the last administrator who can log in; make another one first.")
    }
  }

  /// Replaces a hash by a better one of the same password.
  func updateHash(_ hash: String, of id: UserID, instead old: String) async throws {
    try await pool.execute(
      "UPDATE auth.users SET password_hash = \(hash) WHERE id = \(id.uuid) AND password_hash = \(old)")
  }
}

/// A user as they are to be written down.
struct UserRecord: Sendable {
  let email: String
  var hash: String
  var admin = false
  var quota = Quota()

  /// What of it may be remembered.
  fileprivate var open: Open { Open(email: email, admin: admin, quota: quota) }

  fileprivate struct Open: Encodable {
    let email: String
    let admin: Bool
    let quota: Quota
  }
}

extension Quota {
  /// As it lies in the database.
  fileprivate var text: String { get throws { String(decoding: try JSONEncoder().encode(self), as: UTF8.self) } }
}

extension Idempotency {
  /// Of what is asked of this service.
  static let auth = Idempotency(table: "auth.idempotency")
}
