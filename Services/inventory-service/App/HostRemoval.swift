import Models

/// Removes a host as soon as its VMs are gone.
struct HostRemoval: Sendable {
  let store: HostStore

  func carryOut(_ claim: Claim) async throws -> WorkResult {
    try await store.finishRemoval(claim) ? .ended : .again(afterSeconds: 1, step: "waiting for its VMs to be removed")
  }
}
