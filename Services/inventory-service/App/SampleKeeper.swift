import Logging
import ServiceKit
import ServiceLifecycle

/// Makes coarse samples of fine ones, and lets those go that are kept no longer.
struct SampleKeeper: Service {
  let store: SampleStore
  let logger: Logger

  func run() async throws {
    await cancelWhenGracefulShutdown {
      while !Task.isCancelled {
        do { try await store.keep() } catch {
          logger.warning("samples not kept", metadata: ["error": "\(String(reflecting: error))"])
        }
        try? await Task.sleep(for: .seconds(30))
      }
    }
  }
}
