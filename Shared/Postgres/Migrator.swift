import Foundation

/// One numbered step of a schema. Its name is its file's, and once it has landed neither changes.
public struct Migration: Sendable {
  public let name: String
  public let script: String

  public init(name: String, bytes: [UInt8]) {
    self.name = name
    script = String(decoding: bytes, as: UTF8.self)
  }
}

/// Brings a schema forward, one service at a time however many replicas start at once.
public struct Migrator: Sendable {
  public let schema: String
  public let migrations: [Migration]

  /// - Parameter schema: A name of ours, in which the migrations' tables are made.
  public init(schema: String, migrations: [Migration]) {
    self.schema = schema
    self.migrations = migrations
  }

  /// Applies what has not been applied, each migration in a transaction of its own, under an advisory lock.
  /// - Returns: The names of the migrations applied now.
  /// - Throws: `LaterSchemaError` where one has been applied that is not in the list; then nothing is.
  public func apply(with pool: PostgresPool) async throws -> [String] {
    try await pool.withConnection { connection in
      try connection.executeScript(
        """
        SET statement_timeout = 0;
        SELECT pg_advisory_lock(hashtext('\(schema)'));
        DO $$ BEGIN
          -- Where an administrator made the schema, the role needs no right to make one.
          IF to_regnamespace('\(schema)') IS NULL THEN CREATE SCHEMA \(schema); END IF;
        END $$;
        CREATE TABLE IF NOT EXISTS \(schema).migrations (
          name text PRIMARY KEY, applied_at timestamptz NOT NULL DEFAULT now());
        """)
      defer {
        try? connection.executeScript("SELECT pg_advisory_unlock(hashtext('\(schema)')); RESET statement_timeout")
      }
      let applied = try Set(
        connection.execute(.trusted("SELECT name FROM \(schema).migrations")).map { try $0("name", as: String.self) })
      let later = applied.subtracting(migrations.map(\.name))
      guard later.isEmpty else { throw LaterSchemaError(migrations: later.sorted()) }
      let missing = migrations.filter { !applied.contains($0.name) }
      for migration in missing {
        try connection.transaction {
          try connection.executeScript(migration.script)
          _ = try connection.execute(
            "INSERT INTO \(SQL.trusted(schema)).migrations (name) VALUES (\(migration.name))")
        }
      }
      return missing.map(\.name)
    }
  }
}

/// The schema is that of a later version. Migrations only go forward, so a program that does not know it must not touch it.
public struct LaterSchemaError: Error, CustomStringConvertible {
  public let migrations: [String]

  public var description: String { "the schema has \(migrations.joined(separator: ", "))" }
}
