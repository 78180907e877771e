import Models

/// Leave to make an account, once.
struct InvitationView: Resource {
  static let noun = "invitation"
  static let collection = "invitations"
  static let handleField: String? = nil
  static let exampleQuery = "expiresAt < '2030-01-01'"
  static let columns: [Column<Self>] = [
    Column("id") { "\($0.id)" }, Column("created by") { $0.createdBy }, Column("created") { $0.createdAt },
    Column("expires") { $0.expiresAt },
  ]
  static var fields: [Column<Self>] { [Column("code") { $0.code }] + columns }

  var id: UUIDText
  /// Only in the answer to the request that made it.
  var code: String?
  var createdBy: String?
  var createdAt: String?
  var expiresAt: String?

  var handle: String? { nil }
  /// The code is what a script wants of a new one.
  var shortName: String { code ?? "\(id)" }
}
