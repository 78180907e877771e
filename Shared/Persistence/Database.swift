import Logging
import Models
import Postgres
import ServiceKit

extension PostgresError: ServiceErrorConvertible {
  /// Unreachable or overloaded reads as 503; anything else that a back end did not translate is a defect of ours.
  public var serviceError: ServiceError {
    if isInDoubt {
      return ServiceError(
        .unavailable,
        "The database went away while this was being written. Look whether it was done before you try again.",
        detail: String(reflecting: self), retryAfter: 2)
    }
    if isUnavailable {
      return ServiceError(
        .unavailable, "The database cannot be reached. Nothing was changed; try again.",
        detail: String(reflecting: self), retryAfter: 2)
    }
    return ServiceError(
      .internalError, "Something went wrong on our side. The log has more under the request id.",
      detail: String(reflecting: self))
  }
}

/// The one way to a service's database.
public enum Database {
  /// Opens a pool from `postgres` (libpq connection string; passwords by its `passfile`) and `postgres.connections`
  /// (default 8), and brings the schema forward.
  /// - Throws: `SettingsError` where the schema is that of a later version.
  public static func open(_ settings: Settings, migrator: Migrator, logger: Logger) async throws -> PostgresPool {
    let pool = try open(settings)
    do {
      for name in try await migrator.apply(with: pool) { logger.info("migrated", metadata: ["migration": "\(name)"]) }
    } catch let error as LaterSchemaError {
      throw SettingsError(
        """
        The database was brought forward by a later version (\(error.migrations.joined(separator: ", "))), and does not \
        go back. Run that version, or restore a backup of before.
        """)
    }
    return pool
  }

  /// Opens the pool, and leaves the schema as it is.
  public static func open(_ settings: Settings) throws -> PostgresPool {
    PostgresPool(
      conninfo: conninfo(try settings.required("postgres")),
      size: try settings.integer("postgres.connections", default: 8, in: 1...100))
  }

  /// Bounds how long a connection is tried and a statement runs, so that a request ends in time.
  public static func conninfo(_ given: String) -> String {
    "connect_timeout=3 tcp_user_timeout=10000 keepalives_idle=5 keepalives_interval=2 keepalives_count=3 options='-c statement_timeout=15000 -c idle_in_transaction_session_timeout=30000' \(given)"
  }
}
