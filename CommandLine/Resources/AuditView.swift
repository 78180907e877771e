import Models

/// Who did what, and what came of it.
struct AuditView: Resource {
  static let noun = "audit entry"
  static let collection = "audit"
  static let handleField: String? = nil
  static let exampleQuery = "status = 401"
  static let columns: [Column<Self>] = [
    Column("time") { $0.createdAt }, Column("actor") { $0.actor }, Column("action") { $0.action },
    Column("resource") { $0.resource }, Column("status") { $0.status.map { "\($0)" } },
    Column("address") { $0.address }, Column("request id") { $0.requestId },
  ]

  var id: UUIDText
  var createdAt: String?
  var actor: String?
  var action: String
  var resource: String?
  var address: String?
  /// The HTTP status of the answer; nil when none was given.
  var status: Int?
  var requestId: String?

  var handle: String? { nil }
}
