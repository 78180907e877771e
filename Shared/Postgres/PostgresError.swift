import CLibpq

/// A refusal by the server, or a lost connection. Decide by `sqlState` and `constraint`, never by the message.
public struct PostgresError: Error, Sendable, CustomStringConvertible, CustomDebugStringConvertible {
  /// Five characters (PostgreSQL manual, appendix A); nil when the server was not reached.
  public let sqlState: String?
  /// The name of the violated constraint, when the error is about one.
  public let constraint: String?
  /// The server's words, for the log alone.
  public let message: String
  /// Whether the connection was lost while the transaction was being committed: it may stand, or not.
  public internal(set) var isInDoubt = false

  public init(sqlState: String?, constraint: String?, message: String) {
    self.sqlState = sqlState
    self.constraint = constraint
    self.message = message
  }

  /// Whether the server could not be reached, went away, is starting or stopping, or others were in the way for too long:
  /// trying later makes sense.
  public var isUnavailable: Bool {
    guard let sqlState else { return true }
    // Statement, lock and idle timeouts.
    return isRetryable || ["57014", "55P03", "25P03"].contains(sqlState) || sqlState.hasPrefix("08")
      || sqlState.hasPrefix("57P") || sqlState.hasPrefix("53")
  }

  /// Whether the transaction lost against another one and may be run again (serialization failure, deadlock).
  public var isRetryable: Bool { sqlState == "40001" || sqlState == "40P01" }

  public var isUniqueViolation: Bool { sqlState == "23505" }

  public var description: String { "PostgresError(\(sqlState ?? "connection"))" }
  public var debugDescription: String { "PostgresError(\(sqlState ?? "connection"), \(constraint ?? "-"), \(message))" }

  static func of(connection: OpaquePointer?) -> PostgresError {
    PostgresError(sqlState: nil, constraint: nil, message: PQerrorMessage(connection).map { String(cString: $0) } ?? "")
  }

  static func of(result: OpaquePointer?, connection: OpaquePointer?) -> PostgresError {
    func field(_ code: Int32) -> String? { PQresultErrorField(result, code).map { String(cString: $0) } }
    guard let sqlState = field(IAAS_PG_DIAG_SQLSTATE) else { return of(connection: connection) }
    return PostgresError(
      sqlState: sqlState, constraint: field(IAAS_PG_DIAG_CONSTRAINT_NAME),
      message: PQresultErrorMessage(result).map { String(cString: $0) } ?? "")
  }
}
