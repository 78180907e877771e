import Models
import Postgres

/// What a role must allow for an action.
enum Access: Sendable {
  case see, use, own

  var roles: [String] {
    switch self {
    case .see: ["owner", "operator", "viewer"]
    case .use: ["owner", "operator"]
    case .own: ["owner"]
    }
  }

  /// The weakest role that allows it, for the refusal.
  var role: Role {
    switch self {
    case .see: .viewer
    case .use: .operator
    case .own: .owner
    }
  }
}

/// The one place where it is said who may do what; the condition is part of every statement on images and VMs.
enum Permissions {
  /// True for the rows on which the caller may act so; administrators may on all. For everyone else it starts from
  /// their own permissions, so that a list costs what they have and not what there is.
  /// - Parameter resource: The column with the resource's id.
  static func condition(_ access: Access, _ caller: Caller, on resource: SQL) -> SQL {
    guard !caller.admin else { return "true" }
    return """
      \(resource) IN (SELECT p.resource FROM inventory.permissions p WHERE p.user_id = \(caller.user.uuid)
        AND p.role = ANY (\(access.roles)) AND (p.expires_at IS NULL OR p.expires_at > now()))
      """
  }

  /// Makes sure that the caller may act so, and locks the resource until the transaction ends.
  /// - Parameter lock: How; those who only need it to stay may share the lock.
  /// - Throws: `not_found` for what is absent or hidden, `forbidden` for what may only be seen.
  static func require(
    _ access: Access, on resource: SharedResource, _ caller: Caller, lock: SQL = "FOR UPDATE",
    with connection: isolated PostgresConnection
  ) throws {
    let allowed = try connection.execute(
      """
      SELECT \(condition(access, caller, on: "r.id")) AS allowed FROM \(resource.table) r
      WHERE r.id = \(resource.id.uuid) AND \(resource.isLive) AND \(condition(.see, caller, on: "r.id"))
      \(lock) OF r
      """
    ).first { try $0("allowed", as: Bool.self) }
    guard let allowed else { throw ServiceError.notFound(resource.kind) }
    guard allowed else {
      throw ServiceError(.forbidden, "This needs the role \(access.role.rawValue) on the \(resource.kind.noun).")
    }
  }

  /// Locks the resource until the transaction ends.
  static func lock(_ resource: SharedResource, with connection: isolated PostgresConnection) throws {
    _ = try connection.execute(
      "SELECT FROM \(resource.table) r WHERE r.id = \(resource.id.uuid) FOR UPDATE OF r")
  }

  /// The statement that gives a new resource its owner.
  static func grant(_ role: Role, on resource: SharedResource, to user: UserID) -> SQL {
    """
    INSERT INTO inventory.permissions (user_id, resource, type, role)
    VALUES (\(user.uuid), \(resource.id.uuid), \(resource.kind.rawValue), \(role.rawValue))
    """
  }
}

/// An image or a VM: what people have permissions on.
enum SharedResource: Sendable {
  case image(ImageID)
  case vm(VMID)

  var id: UUIDText {
    switch self {
    case .image(let id): UUIDText(id.uuid)
    case .vm(let id): UUIDText(id.uuid)
    }
  }

  var kind: ResourceKind {
    switch self {
    case .image: .image
    case .vm: .vm
    }
  }

  var table: SQL {
    switch self {
    case .image: "inventory.images"
    case .vm: "inventory.vms"
    }
  }

  /// A removed image keeps its row while VMs need its file.
  var isLive: SQL {
    switch self {
    case .image: "r.deleted_at IS NULL"
    case .vm: "true"
    }
  }
}
