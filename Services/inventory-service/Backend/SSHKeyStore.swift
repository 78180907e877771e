import Foundation
import Models
import Persistence
import Postgres
import Query

/// The SQL of the public keys that people keep here; everyone sees their own.
struct SSHKeyStore: Sendable {
  let pool: PostgresPool

  private static let columns: SQL = "id, name, key, fingerprint, is_default, created_at"
  /// Keys that one person may keep.
  private static let limit = 100

  private static func key(_ row: PostgresRow) throws -> SSHKey {
    SSHKey(
      id: SSHKeyID(try row("id")), name: try row("name"), key: try row("key"), fingerprint: try row("fingerprint"),
      isDefault: try row("is_default"), createdAt: try row("created_at"))
  }

  func listing(_ caller: Caller) -> Listing<SSHKey> {
    Listing(
      pool: pool, columns: Self.columns, source: "inventory.ssh_keys", id: "id",
      visible: "owner = \(caller.user.uuid)",
      fields: QuerySchema([
        QueryField("id", .identifier, "id"), QueryField("name", .text, "name"),
        QueryField("fingerprint", .text, "fingerprint"), QueryField("default", .boolean, "is_default"),
        QueryField("createdAt", .time, "created_at"),
      ]),
      sortKeys: [SortKey("createdAt", "created_at", as: "timestamptz"), SortKey("name", "name", as: "text")],
      decode: Self.key)
  }

  func get(_ id: SSHKeyID, _ caller: Caller) async throws -> SSHKey? {
    try await pool.first(
      "SELECT \(Self.columns) FROM inventory.ssh_keys WHERE id = \(id.uuid) AND owner = \(caller.user.uuid)", Self.key)
  }

  /// The first key of a person is their default one.
  /// - Throws: `conflict` for a name that they use already, and for one key too many.
  func insert(_ request: NewSSHKey, fingerprint: String, _ origin: RequestOrigin) async throws -> SSHKey {
    let owner = origin.caller.user.uuid
    do {
      return try await pool.transaction { connection in
        try Idempotency.inventory.once(origin, "POST keys", request, with: connection) { connection in
          _ = try connection.execute("SELECT pg_advisory_xact_lock(hashtextextended(\(owner.uuidString), 2))")
          let count = try connection.execute(
            "SELECT count(*) AS count FROM inventory.ssh_keys WHERE owner = \(owner)"
          ).map { try $0("count", as: Int.self) }[0]
          guard count < Self.limit else {
            throw ServiceError(.conflict, "There are \(Self.limit) keys already; remove one first.")
          }
          return try connection.execute(
            """
            INSERT INTO inventory.ssh_keys (id, owner, name, key, fingerprint, is_default)
            VALUES (\(SSHKeyID.make().uuid), \(owner), \(request.name), \(request.key), \(fingerprint),
              \(request.isDefault || count == 0))
            RETURNING \(Self.columns)
            """
          ).map(Self.key)[0]
        }
      }
    } catch let error as PostgresError where error.constraint == "ssh_keys_name_key" { throw Self.taken }
  }

  private static let taken = ServiceError(.conflict, "You have a key of this name; choose another, or remove it first.")

  /// - Throws: `not_found`, `conflict`.
  func update(_ id: SSHKeyID, _ update: SSHKeyUpdate, _ caller: Caller) async throws -> SSHKey {
    do {
      let changed = try await pool.first(
        """
        UPDATE inventory.ssh_keys SET name = coalesce(\(update.name), name),
          is_default = coalesce(\(update.isDefault)::boolean, is_default)
        WHERE id = \(id.uuid) AND owner = \(caller.user.uuid) RETURNING \(Self.columns)
        """, Self.key)
      guard let changed else { throw ServiceError.notFound(.key) }
      return changed
    } catch let error as PostgresError where error.constraint == "ssh_keys_name_key" { throw Self.taken }
  }

  func delete(_ id: SSHKeyID, _ caller: Caller) async throws {
    let removed = try await pool.execute(
      "DELETE FROM inventory.ssh_keys WHERE id = \(id.uuid) AND owner = \(caller.user.uuid)")
    guard removed == 1 else { throw ServiceError.notFound(.key) }
  }

  /// The keys that a new VM gets: those in the request, those it names, or the default ones where it has neither.
  /// - Throws: `invalid_field` for a key that the person does not have.
  static func resolve(
    _ request: NewVM, of owner: UserID, with connection: isolated PostgresConnection
  ) throws -> [String] {
    guard let names = request.keys else {
      guard request.sshKeys.isEmpty else { return request.sshKeys }
      return try connection.execute(
        "SELECT key FROM inventory.ssh_keys WHERE owner = \(owner.uuid) AND is_default ORDER BY created_at, id"
      ).map { try $0("key") }
    }
    var keys = request.sshKeys
    for name in names {
      let key = try connection.execute(
        """
        SELECT key FROM inventory.ssh_keys WHERE owner = \(owner.uuid)
          AND (name = \(name) OR id = \(SSHKeyID(name)?.uuid)::uuid) ORDER BY name = \(name) DESC LIMIT 1
        """
      ).first { try $0("key", as: String.self) }
      guard let key else {
        throw ServiceError.invalid("keys", "you have no key '\(Text.printable(name, limit: 64))'; add it first.")
      }
      if !keys.contains(key) { keys.append(key) }
    }
    return keys
  }
}
