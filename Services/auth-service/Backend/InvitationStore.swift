import Foundation
import Models
import Persistence
import Postgres
import Query

/// The SQL of invitations.
struct InvitationStore: Sendable {
  let pool: PostgresPool

  private static let columns: SQL = "id, created_by, created_at, expires_at"

  private static func invitation(_ row: PostgresRow) throws -> Invitation {
    Invitation(
      id: InvitationID(try row("id", as: UUID.self)), code: nil,
      createdBy: UserID(try row("created_by", as: UUID.self)),
      createdAt: try row("created_at"), expiresAt: try row("expires_at"))
  }

  func insert(digest: Data, by user: UserID, expiresAt: Date) async throws -> Invitation {
    try await pool.rows(
      """
      INSERT INTO auth.invitations (id, digest, created_by, expires_at)
      VALUES (\(InvitationID.make().uuid), \(digest), \(user.uuid), \(expiresAt)) RETURNING \(Self.columns)
      """, Self.invitation)[0]
  }

  func listing() -> Listing<Invitation> {
    Listing(
      pool: pool, columns: Self.columns, source: "auth.invitations", id: "id", visible: "expires_at > now()",
      fields: QuerySchema([
        QueryField("id", .identifier, "id"), QueryField("createdBy", .identifier, "created_by"),
        QueryField("createdAt", .time, "created_at"), QueryField("expiresAt", .time, "expires_at"),
      ]), sortKeys: [SortKey("createdAt", "created_at", as: "timestamptz")], decode: Self.invitation)
  }

  /// - Throws: `not_found`.
  func delete(_ id: InvitationID) async throws {
    guard try await pool.execute("DELETE FROM auth.invitations WHERE id = \(id.uuid)") == 1 else {
      throw ServiceError.notFound(.invitation)
    }
  }

  /// Uses an invitation up, in the transaction that makes the account.
  /// - Returns: Whether it held.
  static func use(_ digest: Data, with connection: isolated PostgresConnection) throws -> Bool {
    try connection.execute("DELETE FROM auth.invitations WHERE digest = \(digest) AND expires_at > now()").affected == 1
  }

  func sweep() async throws { try await pool.execute("DELETE FROM auth.invitations WHERE expires_at <= now()") }
}
