import Foundation
import Synchronization

/// A bounded set of connections, lent one at a time.
public final class PostgresPool: Sendable {
  private struct State {
    var idle: [PostgresConnection]
    var waiting: [(id: UInt64, continuation: CheckedContinuation<PostgresConnection, any Error>)] = []
    var nextWaiter: UInt64 = 0
  }

  private let state: Mutex<State>
  /// How long a request waits for a free connection before it is refused.
  private static let patience: Duration = .seconds(5)

  /// - Parameters:
  ///   - conninfo: A libpq connection string. Connections are opened when first used.
  ///   - size: How many connections there are at most.
  public init(conninfo: String, size: Int) {
    state = Mutex(State(idle: (0..<max(size, 1)).map { _ in PostgresConnection(conninfo: conninfo) }))
  }

  /// Lends a connection to the body, which runs on the connection's own thread.
  public func withConnection<Value: Sendable>(
    _ body: @Sendable (isolated PostgresConnection) throws -> Value
  ) async throws -> Value {
    let connection = try await take()
    defer { giveBack(connection) }
    return try await body(connection)
  }

  /// Runs the body in one transaction; runs it again, at most three times, when it lost against another transaction.
  public func transaction<Value: Sendable>(
    _ body: @Sendable (isolated PostgresConnection) throws -> Value
  ) async throws -> Value {
    try await withConnection { connection in
      for _ in 0..<3 {
        do { return try connection.transaction { try body(connection) } } catch let error as PostgresError
          where error.isRetryable
        { continue }
      }
      return try connection.transaction { try body(connection) }
    }
  }

  /// Runs one statement and decodes its rows.
  public func rows<Value: Sendable>(
    _ sql: SQL, _ decode: @Sendable (PostgresRow) throws -> Value
  ) async throws -> [Value] {
    try await withConnection { try $0.execute(sql).map(decode) }
  }

  /// Runs one statement and decodes its first row; nil if there is none.
  public func first<Value: Sendable>(
    _ sql: SQL, _ decode: @Sendable (PostgresRow) throws -> Value
  ) async throws -> Value? {
    try await withConnection { try $0.execute(sql).first(decode) }
  }

  /// Runs one statement and returns the number of rows it changed.
  @discardableResult
  public func execute(_ sql: SQL) async throws -> Int { try await withConnection { try $0.execute(sql).affected } }

  private func take() async throws -> PostgresConnection {
    if let free = state.withLock({ $0.idle.popLast() }) { return free }
    let id = state.withLock { state in
      state.nextWaiter += 1
      return state.nextWaiter
    }
    let timer = Task { [weak self] in
      try await Task.sleep(for: Self.patience)
      self?.giveUp(
        id, with: PostgresError(sqlState: "53300", constraint: nil, message: "no free connection in the pool"))
    }
    defer { timer.cancel() }
    return try await withTaskCancellationHandler {
      try await withCheckedThrowingContinuation { continuation in
        let connection: PostgresConnection? = state.withLock { state in
          if let free = state.idle.popLast() { return free }
          state.waiting.append((id, continuation))
          return nil
        }
        if let connection { continuation.resume(returning: connection) }
      }
    } onCancel: {
      giveUp(id, with: CancellationError())
    }
  }

  private func giveUp(_ id: UInt64, with error: any Error) {
    let waiter = state.withLock { state in
      state.waiting.firstIndex { $0.id == id }.map { state.waiting.remove(at: $0) }
    }
    waiter?.continuation.resume(throwing: error)
  }

  private func giveBack(_ connection: PostgresConnection) {
    let waiter = state.withLock { state in
      guard state.waiting.isEmpty else { return Optional(state.waiting.removeFirst()) }
      state.idle.append(connection)
      return nil
    }
    waiter?.continuation.resume(returning: connection)
  }
}
