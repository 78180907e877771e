import Models
import ServiceKit

/// Takes VMs over from other hosts: their disks first, then their definitions.
struct Arrivals: Sendable {
  let downloads: ArrivalDownloads
  let lifecycle: VMLifecycle

  /// - Returns: The VM, when it is here.
  /// - Throws: `unavailable` as long as its disk is on its way; `stale_generation`, `invalid_state`, `corrupt`,
  ///   `no_space`, `host_refused`.
  func receive(_ arrival: Arrival, _ fence: Fence) async throws -> VMReport {
    let spec = arrival.spec
    guard spec.power == .stopped else { throw ServiceError.invalid("spec.power", "must be stopped.") }
    guard arrival.offer.sha256.wholeMatch(of: /[0-9a-f]{64}/) != nil, arrival.offer.size > 0 else {
      throw ServiceError.invalid("offer", "names no file by size and SHA-256.")
    }
    return try await lifecycle.queue.alone(with: spec.id) {
      try await lifecycle.fences.accept(fence, of: spec.id)
      if let found = try await lifecycle.hypervisor.find(spec.id), found.power != .stopped {
        throw ServiceError(.invalidState, "The VM runs on this host.")
      }
      let paths = try lifecycle.folders.make(spec.id)
      guard try await downloads.isHere(arrival, at: paths) else {
        throw ServiceError(.unavailable, "The VM's disk is on its way to its new host.", retryAfter: 1)
      }
      return try await lifecycle.converge(spec, fence)
    }
  }
}
