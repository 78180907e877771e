import Models

/// A log-in that has not ended.
struct SessionView: Resource {
  static let noun = "session"
  static let collection = "sessions"
  static let handleField: String? = nil
  static let exampleQuery = "current = false"
  static let isListedWhole = true
  static let columns: [Column<Self>] = [
    Column("id") { "\($0.id)" }, Column("current") { $0.current == true ? "yes" : "no" },
    Column("created") { $0.createdAt }, Column("last used") { $0.lastUsedAt }, Column("expires") { $0.expiresAt },
    Column("address") { $0.address }, Column("client") { $0.client },
  ]

  var id: UUIDText
  var createdAt: String?
  var lastUsedAt: String?
  var expiresAt: String?
  var address: String?
  var client: String?
  /// Whether it is the one that asks.
  var current: Bool?

  var handle: String? { nil }
}
