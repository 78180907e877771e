import Models

/// What a person may do with one object.
struct PermissionView: Presentable, Decodable {
  static let columns: [Column<Self>] = [
    Column("user") { $0.user }, Column("email") { $0.email }, Column("role") { $0.role },
    Column("created") { $0.createdAt }, Column("expires") { $0.expiresAt ?? "never" },
  ]

  var user: String
  var email: String?
  var role: String
  var createdAt: String?
  var expiresAt: String?

  var shortName: String { email ?? user }
}
