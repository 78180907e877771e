import Foundation
import Logging
import Persistence
import ServiceLifecycle

/// Removes rows that no longer count anyway: sessions past their end, old attempts, invitations that ended.
struct AuthSweeper: Service {
  let sessions: SessionStore
  let attempts: AttemptStore
  let invitations: InvitationStore
  let logger: Logger

  func run() async throws {
    await cancelWhenGracefulShutdown {
      while !Task.isCancelled {
        do {
          try await sessions.sweep()
          try await attempts.sweep()
          try await invitations.sweep()
          try await Idempotency.auth.sweep(sessions.pool)
        } catch { logger.warning("not swept", metadata: ["error": "\(String(reflecting: error))"]) }
        do { try await Task.sleep(for: .seconds(3600)) } catch { return }
      }
    }
  }
}
