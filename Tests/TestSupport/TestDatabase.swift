import Foundation
import Postgres

/// A database of its own on the run's Postgres cluster.
public enum TestDatabase {
  /// Makes a database, brings the schema forward, and removes the database after the body.
  public static func with<Value: Sendable>(
    _ migrator: Migrator? = nil, _ body: (PostgresPool, _ conninfo: String) async throws -> Value
  ) async throws -> Value {
    let cluster = try TestEnvironment.required("IAAS_TEST_POSTGRES")
    let name = "test_\(UUID().uuidString.prefix(8).lowercased())"
    let admin = PostgresPool(conninfo: "\(cluster) dbname=postgres", size: 1)
    try await admin.execute(.trusted("CREATE DATABASE \(name)"))
    let conninfo = "\(cluster) dbname=\(name)"
    let result: Result<Value, any Error>
    do {
      let pool = PostgresPool(conninfo: conninfo, size: 8)
      if let migrator { _ = try await migrator.apply(with: pool) }
      result = .success(try await body(pool, conninfo))
    } catch { result = .failure(error) }
    try await admin.execute(.trusted("DROP DATABASE \(name) WITH (FORCE)"))
    return try result.get()
  }
}
