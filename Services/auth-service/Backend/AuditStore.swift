import Foundation
import Models
import Persistence
import Postgres
import Query

/// The SQL of the audit log. The database itself lets nobody change what was written.
struct AuditStore: Sendable {
  let pool: PostgresPool

  private static let columns: SQL = "id, created_at, actor, action, resource, address, status, request_id"

  private static func entry(_ row: PostgresRow) throws -> AuditEntry {
    let actor: UUID? = try row.optional("actor")
    let resource: UUID? = try row.optional("resource")
    return AuditEntry(
      id: AuditID(try row("id", as: UUID.self)), createdAt: try row("created_at"), actor: actor.map { UserID($0) },
      action: try row("action"), resource: resource.map { UUIDText($0) }, address: try row.optional("address"),
      status: try row.optional("status"), requestId: try row.optional("request_id"))
  }

  static func insert(
    _ intent: AuditIntent, actor: UserID?, status: Int?, with connection: isolated PostgresConnection
  ) throws -> AuditID {
    let id = AuditID.make()
    _ = try connection.execute(
      """
      INSERT INTO auth.audit (id, actor, action, resource, address, status, request_id)
      VALUES (\(id.uuid), \(actor?.uuid), \(intent.action), \(intent.resource?.uuid), \(intent.address), \(status),
        \(intent.requestID))
      """)
    return id
  }

  @discardableResult
  func insert(_ intent: AuditIntent, actor: UserID?, status: Int?) async throws -> AuditID {
    try await pool.withConnection { try Self.insert(intent, actor: actor, status: status, with: $0) }
  }

  /// Fills in what came of it, once.
  func conclude(_ id: AuditID, _ conclusion: AuditConclusion) async throws {
    try await pool.execute(
      """
      UPDATE auth.audit SET status = \(conclusion.status), resource = coalesce(resource, \(conclusion.resource?.uuid))
      WHERE id = \(id.uuid) AND status IS NULL
      """)
  }

  func listing(of actor: UserID? = nil) -> Listing<AuditEntry> {
    Listing(
      pool: pool, columns: Self.columns, source: "auth.audit", id: "id",
      visible: actor.map { "actor = \($0.uuid)" } ?? "true",
      fields: QuerySchema([
        QueryField("id", .identifier, "id"), QueryField("actor", .identifier, "actor"),
        QueryField("action", .text, "action"), QueryField("resource", .identifier, "resource"),
        QueryField("address", .text, "address"), QueryField("status", .number, "status"),
        QueryField("requestId", .text, "request_id"), QueryField("createdAt", .time, "created_at"),
      ]), sortKeys: [SortKey("createdAt", "created_at", as: "timestamptz")], decode: Self.entry)
  }
}
