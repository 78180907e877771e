import Foundation
import Models
import Persistence
import Postgres

/// The SQL of permissions, as their owners give and take them.
struct ShareStore: Sendable {
  let pool: PostgresPool

  private static let columns: SQL = "p.user_id, p.resource, p.type, p.role, p.created_at, p.expires_at"

  private static func permission(_ row: PostgresRow) throws -> Permission {
    Permission(
      user: UserID(try row("user_id", as: UUID.self)), email: nil,
      resource: UUIDText(try row("resource", as: UUID.self)),
      type: try row.wire("type"), role: try row.wire("role"), createdAt: try row("created_at"),
      expiresAt: try row.optional("expires_at"))
  }

  /// Who may do what with the resource, the oldest permission first.
  /// - Throws: `not_found`, `forbidden`.
  func list(on resource: SharedResource, _ caller: Caller) async throws -> [Permission] {
    try await pool.transaction { connection in
      try Permissions.require(.own, on: resource, caller, with: connection)
      return try connection.execute(
        """
        SELECT \(Self.columns) FROM inventory.permissions p WHERE p.resource = \(resource.id.uuid)
          AND (p.expires_at IS NULL OR p.expires_at > now()) ORDER BY p.created_at, p.user_id
        """
      ).map(Self.permission)
    }
  }

  /// All that a user may do.
  func list(of user: UserID) async throws -> [Permission] {
    try await pool.rows(
      """
      SELECT \(Self.columns) FROM inventory.permissions p WHERE p.user_id = \(user.uuid) ORDER BY p.created_at, p.resource
      """, Self.permission)
  }

  /// Gives a user a role, instead of the one that the user had.
  /// - Throws: `not_found`, `forbidden`; `conflict` when no lasting owner would remain.
  func grant(
    _ grant: Grant, on resource: SharedResource, _ origin: RequestOrigin
  ) async throws -> Permission {
    try await pool.transaction { connection in
      try Idempotency.inventory.once(
        origin, "POST \(resource.kind.rawValue) \(resource.id) shares", grant, with: connection
      ) { connection in
        try Self.grant(grant, on: resource, origin, with: connection)
      }
    }
  }

  private static func grant(
    _ grant: Grant, on resource: SharedResource, _ origin: RequestOrigin,
    with connection: isolated PostgresConnection
  ) throws -> Permission {
    try Permissions.require(.own, on: resource, origin.caller, with: connection)
    let permission = try connection.execute(
      """
      INSERT INTO inventory.permissions AS p (user_id, resource, type, role, expires_at)
      VALUES (\(grant.user.uuid), \(resource.id.uuid), \(resource.kind.rawValue), \(grant.role.rawValue),
        \(grant.expiresAt))
      ON CONFLICT (user_id, resource) DO UPDATE SET role = excluded.role, expires_at = excluded.expires_at
      RETURNING \(columns)
      """
    ).map(Self.permission)[0]
    try settleOwner(of: resource, origin, with: connection)
    return permission
  }

  /// Takes a user's permission back; everyone may give up their own.
  /// - Throws: `not_found`, `forbidden`; `conflict` when no lasting owner would remain.
  func revoke(_ user: UserID, on resource: SharedResource, _ origin: RequestOrigin) async throws {
    let caller = origin.caller
    try await pool.transaction { connection in
      try Permissions.require(caller.user == user ? .see : .own, on: resource, caller, with: connection)
      let removed = try connection.execute(
        "DELETE FROM inventory.permissions WHERE user_id = \(user.uuid) AND resource = \(resource.id.uuid)"
      ).affected
      guard removed == 1 else {
        throw ServiceError(.notFound, "The \(resource.kind.noun) is not shared with this user.")
      }
      // Who goes has nothing of it any more; whoever sends somebody else away takes it over.
      try Self.settleOwner(of: resource, caller.user == user ? nil : origin, with: connection)
    }
  }

  /// Takes all that a user may do, before the user is removed. What others own too goes on under the oldest of them; what
  /// nobody else owns is removed, all in one transaction.
  func forget(_ user: UserID, _ origin: RequestOrigin) async throws {
    try await pool.transaction { connection in
      let owned = try connection.execute(
        """
        SELECT resource, type FROM inventory.permissions WHERE user_id = \(user.uuid) AND role = 'owner' ORDER BY resource
        """
      ).map { row in
        let id: UUID = try row("resource")
        return try row("type", as: String.self) == ResourceKind.vm.rawValue
          ? SharedResource.vm(VMID(id)) : .image(ImageID(id))
      }
      for resource in owned {
        try Permissions.lock(resource, with: connection)
        if try Self.hasOther(than: user, resource, with: connection) { continue }
        switch resource {
        case .image(let id): try ImageStore.delete(id, with: connection)
        case .vm(let id): _ = try VMTransitions.ask(.remove, of: id, origin, with: connection)
        }
      }
      _ = try connection.execute("DELETE FROM inventory.permissions WHERE user_id = \(user.uuid)")
      _ = try connection.execute("DELETE FROM inventory.ssh_keys WHERE owner = \(user.uuid)")
      _ = try connection.execute("DELETE FROM inventory.idempotency WHERE caller = \(user.uuid)")
      _ = try connection.execute("DELETE FROM inventory.accounts WHERE owner = \(user.uuid)")
      for resource in owned where try Self.isShared(resource, with: connection) {
        try Self.settleOwner(of: resource, nil, with: connection)
      }
    }
  }

  private static func hasOther(
    than user: UserID, _ resource: SharedResource, with connection: isolated PostgresConnection
  ) throws -> Bool {
    try connection.execute(
      """
      SELECT FROM inventory.permissions WHERE resource = \(resource.id.uuid) AND role = 'owner' AND expires_at IS NULL
        AND user_id <> \(user.uuid) LIMIT 1
      """
    ).count == 1
  }

  private static func isShared(
    _ resource: SharedResource, with connection: isolated PostgresConnection
  ) throws -> Bool {
    try connection.execute(
      """
      SELECT FROM inventory.permissions WHERE resource = \(resource.id.uuid) AND role = 'owner' AND expires_at IS NULL LIMIT 1
      """
    ).count == 1
  }

  /// Keeps the owner of the resource, for whom it counts, one of those who own it for good: the oldest where the present
  /// one is no more. The resource is locked.
  ///
  /// Nobody can go on having something and let it count for somebody else: only who takes it over, and has room for it, or
  /// an administrator makes another one its owner.
  /// - Parameter origin: Who asks; nil when the owner goes.
  /// - Throws: `conflict` when there is none, `quota_exceeded`; the transaction must not be committed.
  private static func settleOwner(
    of resource: SharedResource, _ origin: RequestOrigin?, with connection: isolated PostgresConnection
  ) throws {
    let owners = try connection.execute(
      """
      SELECT user_id FROM inventory.permissions WHERE resource = \(resource.id.uuid) AND role = 'owner'
        AND expires_at IS NULL ORDER BY created_at, user_id
      """
    ).map { try $0("user_id", as: UUID.self) }
    guard let oldest = owners.first else {
      throw ServiceError(
        .conflict, "The \(resource.kind.noun) must keep an owner for good; share it with another owner first.")
    }
    let present = try connection.execute("SELECT owner FROM \(resource.table) WHERE id = \(resource.id.uuid)").first {
      try $0("owner", as: UUID.self)
    }
    guard let present, !owners.contains(present) else { return }
    var next = oldest
    if let origin, !origin.caller.admin {
      guard owners.contains(origin.caller.user.uuid) else {
        throw ServiceError(
          .conflict,
          """
          The \(resource.kind.noun) counts for your quota as long as you have it: give your share up altogether, or have \
          another owner take it over.
          """)
      }
      next = origin.caller.user.uuid
      _ = try QuotaStore.take(try QuotaStore.weight(of: resource, with: connection), origin, with: connection)
    }
    _ = try connection.execute("UPDATE \(resource.table) SET owner = \(next) WHERE id = \(resource.id.uuid)")
  }

  /// Removes permissions that have ended.
  func sweep() async throws {
    try await pool.execute("DELETE FROM inventory.permissions WHERE expires_at <= now()")
  }
}
