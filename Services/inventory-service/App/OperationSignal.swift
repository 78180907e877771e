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
  private let waiting = Mutex<[UUID: Waiter]>([:])

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

  private func wake() {
    let woken = waiting.withLock { waiting in
      defer { waiting = [:] }
      return Array(waiting.values)
    }
    for waiter in woken { waiter.resume() }
  }

  /// Returns when something changed, after the time, or when the task is cancelled.
  func wait(atMost time: Duration) async {
    let id = UUID()
    await withTaskCancellationHandler {
      await withCheckedContinuation { continuation in
        let cancelled = waiting.withLock { waiting in
          if Task.isCancelled { return true }
          // The timer cannot fire before it is registered: `release` needs the lock that is held here.
          let timer = Task {
            try? await Task.sleep(for: time)
            release(id)
          }
          waiting[id] = Waiter(continuation: continuation, timer: timer)
          return false
        }
        if cancelled { continuation.resume() }
      }
    } onCancel: {
      release(id)
    }
  }

  private func release(_ id: UUID) { waiting.withLock { $0.removeValue(forKey: id) }?.resume() }
}
