import Synchronization

/// A time limit that every sign of life puts off.
final class Stall: Sendable {
  private let limit: Duration
  private let failure: CommandFailure
  private let sign = Mutex(ContinuousClock.now)

  /// - Parameter failure: What is thrown at the limit.
  init(_ limit: Duration, _ failure: CommandFailure) {
    self.limit = limit
    self.failure = failure
  }

  func postpone() { sign.withLock { $0 = .now } }

  /// Runs `body`, and cancels it at the limit.
  /// - Throws: what `body` throws, or the failure.
  func limiting<Value: Sendable>(_ body: @escaping @Sendable () async throws -> Value) async throws -> Value {
    try await withThrowingTaskGroup(of: Value.self) { group in
      defer { group.cancelAll() }
      group.addTask { try await body() }
      group.addTask { throw try await self.expired() }
      guard let first = try await group.next() else { throw CancellationError() }
      return first
    }
  }

  private func expired() async throws -> CommandFailure {
    while true {
      let end = sign.withLock { $0 } + limit
      guard ContinuousClock.now < end else { return failure }
      try await Task.sleep(until: end)
    }
  }
}
