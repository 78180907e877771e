import Models

/// A public key that is kept with the installation.
struct KeyView: Resource {
  static let noun = "key"
  static let collection = "keys"
  static let handleField: String? = "name"
  static let exampleQuery = "name = 'laptop'"
  static let isListedWhole = true
  static let columns: [Column<Self>] = [
    Column("id") { "\($0.id)" }, Column("name") { $0.name }, Column("fingerprint") { $0.fingerprint },
    Column("default") { key in key.isDefault.map { $0 ? "yes" : "no" } }, Column("created") { $0.createdAt },
  ]
  static var fields: [Column<Self>] { columns + [Column("key") { $0.key }] }

  var id: UUIDText
  var name: String
  var key: String?
  var fingerprint: String?
  /// Whether VMs get it whose request names no keys.
  var isDefault: Bool?
  var createdAt: String?

  private enum CodingKeys: String, CodingKey {
    case id, name, key, fingerprint, createdAt
    case isDefault = "default"
  }

  var handle: String? { name }
}
