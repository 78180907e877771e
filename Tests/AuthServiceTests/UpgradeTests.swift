import Foundation
import Models
import Postgres
import TestSupport
import Testing

@testable import AuthService

/// A database of any earlier version is brought forward with what it has.
@Suite(.timeLimit(.minutes(5))) struct UpgradeTests {
  private static let ana = UUID()
  private static let session = UUID()

  /// What an installation had from its first version on.
  private static let content = """
    INSERT INTO auth.users (id, email, password_hash, admin) VALUES ('\(ana)', 'Ana@example.org', 'hash', true);
    INSERT INTO auth.sessions (id, user_id, expires_at) VALUES ('\(session)', '\(ana)', now() + interval '1 day');
    """

  @Test(arguments: 1..<authMigrator.migrations.count) func keepsWhatThereIs(version: Int) async throws {
    let earlier = Migrator(schema: "auth", migrations: Array(authMigrator.migrations.prefix(version)))
    try await TestDatabase.with(earlier) { pool, _ in
      try await pool.withConnection { try $0.executeScript(Self.content) }
      let applied = try await authMigrator.apply(with: pool)
      #expect(applied == authMigrator.migrations.dropFirst(version).map(\.name))

      let user = try #require(try await UserStore(pool: pool).get(UserID(Self.ana)))
      #expect(user.email == "Ana@example.org" && user.admin && !user.disabled)
      let sessions = try await pool.rows("SELECT id FROM auth.sessions") { try $0("id", as: UUID.self) }
      #expect(sessions == [Self.session])
    }
  }
}
