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
  private let waiting = Mutex<[UUID: CheckedContinuation<Void, Never>]>([:])

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
    for continuation in woken { continuation.resume() }
  }

  /// Returns when something changed, after the time, or when the task is cancelled.
  func wait(atMost time: Duration) async {
    let id = UUID()
    await withTaskCancellationHandler {
      await withCheckedContinuation { continuation in
        let cancelled = waiting.withLock { waiting in
          if Task.isCancelled { return true }
          waiting[id] = continuation
          return false
        }
        guard !cancelled else { return continuation.resume() }
        // Started after the continuation is registered: it can never fire before.
        Task {
          try? await Task.sleep(for: time)
          release(id)
        }
      }
    } onCancel: {
      release(id)
    }
  }

  private func release(_ id: UUID) { waiting.withLock { $0.removeValue(forKey: id) }?.resume() }
}
