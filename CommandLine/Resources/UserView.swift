import Models

/// A person who may log in.
struct UserView: Resource {
  static let noun = "user"
  static let collection = "users"
  static let handleField: String? = "email"
  static let exampleQuery = "email = 'ana@example.org'"
  static let columns: [Column<Self>] = [
    Column("id") { "\($0.id)" }, Column("email") { $0.email }, Column("admin") { word($0.admin) },
    Column("disabled") { word($0.disabled) }, Column("totp") { word($0.totp) }, Column("created") { $0.createdAt },
    Column("last login") { $0.lastLoginAt },
  ]
  static var fields: [Column<Self>] {
    columns + [Column("quota") { $0.quota?.summary }, Column("in use") { $0.use }]
  }

  var id: UUIDText
  var email: String
  var admin: Bool?
  var disabled: Bool?
  var totp: Bool?
  var quota: QuotaView?
  /// Of whoever is logged in: the limits that hold, and what they have.
  var limits: [String: Int64]?
  var usage: [String: Int64]?
  var createdAt: String?
  var lastLoginAt: String?

  var handle: String? { email }

  /// What they may still take of what VMs are made of; nil where nothing is limited, or it is not known.
  var left: String? {
    guard let usage, let limits else { return nil }
    let parts = [QuotaResource.vms, .vcpus, .mem, .disk].compactMap { resource in
      limits[resource.rawValue].map { limit in
        resource.text(of: max(limit - (usage[resource.rawValue] ?? 0), 0)) + " " + Self.noun(resource)
      }
    }
    return parts.isEmpty ? nil : parts.joined(separator: ", ")
  }

  private static func noun(_ resource: QuotaResource) -> String {
    switch resource {
    case .vms: "VMs"
    case .vcpus: "vCPUs"
    case .mem: "of memory"
    default: "of disk"
    }
  }

  /// What they have of each thing, and how much they may.
  private var use: String? {
    guard let usage else { return nil }
    let known = QuotaResource.allCases.filter { usage[$0.rawValue] != nil }.map { resource in
      let used = resource.text(of: usage[resource.rawValue] ?? 0)
      let limit = limits?[resource.rawValue].map { " of \(resource.text(of: $0))" } ?? ""
      return "\(resource.rawValue) \(used)\(limit)"
    }
    return known.isEmpty ? nil : known.joined(separator: ", ")
  }

  private static func word(_ flag: Bool?) -> String? { flag.map { $0 ? "yes" : "no" } }
}

extension CommandContext {
  /// Whoever is logged in.
  func me() async throws -> Fetched<UserView> { try await client.get(UserView.self, "/iaas/me") }
}
