import Models

/// A person who may log in.
struct UserView: Resource {
  static let noun = "user"
  static let collection = "users"
  static let handleField: String? = "email"
  static let exampleQuery = "email = 'ana@example.org'"
  static let columns: [Column<Self>] = [
    Column("id") { "\($0.id)" }, Column("email") { $0.email }, Column("admin") { $0.admin == true ? "yes" : "no" },
    Column("created") { $0.createdAt }, Column("last login") { $0.lastLoginAt },
  ]

  var id: UUIDText
  var email: String
  var admin: Bool?
  var createdAt: String?
  var lastLoginAt: String?

  var handle: String? { email }
}
