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
        AND p.role = ANY (\(access.roles)))
      """
  }

  /// The statement that gives a new resource its owner.
  static func grant(_ role: Role, on resource: UUIDText, type: ResourceKind, to user: UserID) -> SQL {
    """
    INSERT INTO inventory.permissions (user_id, resource, type, role)
    VALUES (\(user.uuid), \(resource.uuid), \(type.rawValue), \(role.rawValue))
    """
  }

  static func missing(_ access: Access, on kind: ResourceKind) -> ServiceError {
    ServiceError(.forbidden, "This needs the role \(access.role.rawValue) on the \(kind.noun).")
  }
}
