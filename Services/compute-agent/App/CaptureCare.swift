import ServiceLifecycle

/// Sees to it that no guest is left holding still, and ends what is being copied when the agent ends.
struct CaptureCare: Service {
  let captures: Captures
  let arrivals: ArrivalDownloads

  func run() async throws {
    await cancelWhenGracefulShutdown {
      while !Task.isCancelled {
        await captures.thawAll()
        try? await Task.sleep(for: .seconds(5))
      }
    }
    await captures.stop()
    await arrivals.stop()
  }
}
