import Blocking
import CLibpq
import Foundation

/// One connection. It blocks its own thread, never the cooperative pool: its methods are synchronous and are called
/// from closures isolated to it, so that a whole transaction is one hop.
public actor PostgresConnection {
  private nonisolated let executor = QueueExecutor(label: "postgres")
  public nonisolated var unownedExecutor: UnownedSerialExecutor { executor.asUnownedSerialExecutor() }

  private let conninfo: String
  private var handle: OpaquePointer?
  private var prepared: [String: String] = [:]
  private var isInTransaction = false

  /// Statements kept prepared at most; what clients ask of lists has many shapes.
  private static let preparedLimit = 256

  /// - Parameter conninfo: A libpq connection string (PostgreSQL manual, 34.1.1). Nothing is opened yet.
  public init(conninfo: String) { self.conninfo = conninfo }

  isolated deinit { PQfinish(handle) }

  /// Runs one statement, prepared on its first use on this connection.
  /// - Throws: `PostgresError`. A connection that was lost is opened anew by the next statement.
  public func execute(_ sql: SQL) throws -> PostgresResult {
    let connection = try open()
    let name = try prepare(sql, on: connection)
    let result = withParameters(sql.parameters) { values in
      PQexecPrepared(connection, name, Int32(sql.parameters.count), values, nil, nil, 1)
    }
    return try check(result, on: connection)
  }

  /// Runs several statements without parameters in one call.
  public func executeScript(_ script: String) throws {
    let connection = try open()
    _ = try check(PQexec(connection, script), on: connection)
  }

  /// Runs the body between BEGIN and COMMIT. An error rolls back and is thrown on.
  public func transaction<Value>(_ body: () throws -> Value) throws -> Value {
    try executeScript("BEGIN")
    isInTransaction = true
    defer { isInTransaction = false }
    let value: Value
    do { value = try body() } catch {
      if handle != nil { try? executeScript("ROLLBACK") }
      throw error
    }
    do { try executeScript("COMMIT") } catch var error as PostgresError {
      // Whether the server still did it, nobody knows.
      error.isInDoubt = handle == nil
      throw error
    }
    return value
  }

  /// Waits for a notification on the channels listened to.
  /// - Returns: Whether one came before `seconds` had passed; several at once count as one.
  public func waitForNotification(seconds: Double) throws -> Bool {
    // What the server says unasked is what is waited for.
    let connection = try handle ?? open()
    if drainNotifications(connection) { return true }
    var descriptor = pollfd(fd: PQsocket(connection), events: Int16(POLLIN), revents: 0)
    guard poll(&descriptor, 1, Int32(seconds * 1000)) > 0 else { return false }
    guard PQconsumeInput(connection) == 1 else { throw lost(connection) }
    return drainNotifications(connection)
  }

  /// Ends the connection; the next statement opens a new one.
  public func close() {
    PQfinish(handle)
    handle = nil
    prepared = [:]
  }

  private func open() throws -> OpaquePointer {
    if let handle {
      if isInTransaction || isQuiet(handle) { return handle }
      close()
    }
    // What was begun went with the connection.
    guard !isInTransaction else { throw PostgresError(sqlState: "08006", constraint: nil, message: "connection lost") }
    let connection = PQconnectdb(conninfo)
    guard let connection, PQstatus(connection) == CONNECTION_OK else {
      defer { PQfinish(connection) }
      throw PostgresError.of(connection: connection)
    }
    handle = connection
    return connection
  }

  /// Whether the server has said nothing since the last answer. What it says unasked is that it ends the connection, or
  /// it is the connection's end itself.
  private func isQuiet(_ connection: OpaquePointer) -> Bool {
    var descriptor = pollfd(fd: PQsocket(connection), events: Int16(POLLIN), revents: 0)
    return poll(&descriptor, 1, 0) == 0
  }

  private func prepare(_ sql: SQL, on connection: OpaquePointer) throws -> String {
    let text = sql.text
    if let name = prepared[text] { return name }
    if prepared.count >= Self.preparedLimit {
      _ = try check(PQexec(connection, "DEALLOCATE ALL"), on: connection)
      prepared = [:]
    }
    let name = "s\(prepared.count)"
    _ = try check(PQprepare(connection, name, text, 0, nil), on: connection)
    prepared[text] = name
    return name
  }

  private func check(_ handle: OpaquePointer?, on connection: OpaquePointer) throws -> PostgresResult {
    guard let handle else { throw lost(connection) }
    let result = PostgresResult(handle: handle)
    switch PQresultStatus(handle) {
    case PGRES_TUPLES_OK, PGRES_COMMAND_OK, PGRES_EMPTY_QUERY: return result
    default:
      let error = PostgresError.of(result: handle, connection: connection)
      if PQstatus(connection) != CONNECTION_OK { close() }
      throw error
    }
  }

  private func lost(_ connection: OpaquePointer) -> PostgresError {
    defer { close() }
    return PostgresError.of(connection: connection)
  }

  private func drainNotifications(_ connection: OpaquePointer) -> Bool {
    var any = false
    while let notification = PQnotifies(connection) {
      PQfreemem(notification)
      any = true
    }
    return any
  }

  private func withParameters<Value>(
    _ parameters: [String?], _ body: (UnsafePointer<UnsafePointer<CChar>?>) -> Value
  ) -> Value {
    // Safe: the copies live until the call has returned; libpq does not keep them.
    let copies = parameters.map { $0.flatMap { strdup($0) } }
    defer { for copy in copies { free(copy) } }
    return copies.map { $0.map { UnsafePointer($0) } }.withUnsafeBufferPointer { buffer in
      buffer.baseAddress.map(body)
        ?? withUnsafeTemporaryAllocation(of: UnsafePointer<CChar>?.self, capacity: 1) {
          body(UnsafePointer($0.baseAddress!))
        }
    }
  }
}
