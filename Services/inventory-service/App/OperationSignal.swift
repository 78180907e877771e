import Foundation
import Logging
import Postgres
import ServiceLifecycle
import Synchronization

/// Wakes whoever waits for operations when the database announces a change. A missed announcement only costs time:
/// everyone who waits looks again by themselves.
final class OperationSignal: Service {
  private let connection: PostgresConnection
  private let logger: Logger
  /// Who waits: those who carry operations out are also woken by what this process alone knows.
  enum Audience: Sendable, CaseIterable { case workers, watchers }

  private let state = Mutex<[Audience: State]>([:])

  private struct State {
    var waiting: [UUID: Waiter] = [:]
    /// How often all were woken.
    var rounds = 0
  }

  /// Someone who waits, and the timer that ends the waiting; whichever comes first ends the other.
  private struct Waiter {
    let continuation: CheckedContinuation<Void, Never>
    let timer: Task<Void, Never>

    func resume() {
      timer.cancel()
      continuation.resume()
    }
  }

  /// - Parameter connection: A connection for this alone.
  init(connection: PostgresConnection, logger: Logger) {
    self.connection = connection
    self.logger = logger
  }

  func run() async throws {
    await cancelWhenGracefulShutdown {
      while !Task.isCancelled {
        do { try await self.listen() } catch {
          self.logger.notice("not listening", metadata: ["error": "\(String(reflecting: error))"])
          try? await Task.sleep(for: .seconds(1))
        }
      }
      self.wake()
    }
  }

  private func listen() async throws {
    try await connection.executeScript("LISTEN \(OperationStore.channel)")
    wake()
    while !Task.isCancelled {
      if try await connection.waitForNotification(seconds: 1) { wake() }
    }
  }

  private func wake() { for audience in Audience.allCases { wake(audience) } }

  /// Wakes who waits in this process.
  func wake(_ audience: Audience) {
    let woken = state.withLock { states in
      states[audience, default: State()].rounds += 1
      defer { states[audience]?.waiting = [:] }
      return Array(states[audience, default: State()].waiting.values)
    }
    for waiter in woken { waiter.resume() }
  }

  /// Taken before one looks, so that what changes between the look and the wait is not missed.
  func mark(_ audience: Audience) -> Int { state.withLock { $0[audience, default: State()].rounds } }

  /// Returns when something changed, after the time, or when the task is cancelled.
  /// - Parameter mark: Since when; nil for from now on.
  func wait(atMost time: Duration, _ audience: Audience, since mark: Int? = nil) async {
    let id = UUID()
    await withTaskCancellationHandler {
      await withCheckedContinuation { continuation in
        let isOver = state.withLock { states in
          if Task.isCancelled || mark.map({ $0 != states[audience, default: State()].rounds }) ?? false { return true }
          // The timer cannot fire before it is registered: `release` needs the lock that is held here.
          let timer = Task {
            try? await Task.sleep(for: time)
            release(id, audience)
          }
          states[audience, default: State()].waiting[id] = Waiter(continuation: continuation, timer: timer)
          return false
        }
        if isOver { continuation.resume() }
      }
    } onCancel: {
      release(id, audience)
    }
  }

  private func release(_ id: UUID, _ audience: Audience) {
    state.withLock { $0[audience]?.waiting.removeValue(forKey: id) }?.resume()
  }
}
