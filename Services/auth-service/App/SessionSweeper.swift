import Foundation
import Logging
import ServiceLifecycle

/// Removes the rows of sessions past their end, which no longer count anyway.
struct SessionSweeper: Service {
  let sessions: SessionStore
  let logger: Logger

  func run() async throws {
    await cancelWhenGracefulShutdown {
      while !Task.isCancelled {
        do { try await sessions.sweep() } catch {
          logger.warning("sessions not swept", metadata: ["error": "\(String(reflecting: error))"])
        }
        do { try await Task.sleep(for: .seconds(3600)) } catch { return }
      }
    }
  }
}
