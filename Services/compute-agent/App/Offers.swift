import Foundation
import Models
import ServiceKit

/// Offers the disks of VMs that are off to other agents.
struct Offers: Sendable {
  let hypervisor: Hypervisor
  let captures: Captures
  let folders: AgentFolders
  let digests: FileDigests
  let signer: OfferSigner
  let fences: Fences
  let queue: VMQueue
  /// Of our own certificate.
  let fingerprint: String

  /// Makes a VM's disk ready to be fetched.
  /// - Returns: The offer, whose URL lacks this agent's address.
  /// - Throws: `stale_generation`, `not_found`, `invalid_state` unless the VM is off.
  func offer(_ id: VMID, _ fence: Fence) async throws -> DiskOffer {
    try await queue.alone(with: id) {
      try await fences.accept(fence, of: id)
      let disk = try await diskAtRest(id)
      let path = folders.paths(id).disk(disk)
      let stamp = try FileStamp(path)
      let digest = try await digests.digest(of: path)
      let subject = OfferSigner.Subject(vm: id, disk: disk, digest: digest)
      return DiskOffer(
        url: signer.url(of: subject, stamp: stamp, at: .now), fingerprint: fingerprint, sha256: digest,
        size: stamp.size)
    }
  }

  /// The file that was offered.
  /// - Throws: `forbidden` for what we did not offer, or what is no longer as it was; `invalid_state`.
  func path(claimed query: QueryString, of id: VMID) async throws -> String {
    let refusal = ServiceError(.forbidden, "This disk is not offered, or not any more.")
    guard let claim = OfferSigner.Claim(vm: id, query: query) else { throw refusal }
    let path = folders.paths(id).disk(claim.subject.disk)
    guard let stamp = try? FileStamp(path), signer.holds(claim, stamp: stamp, at: .now) else { throw refusal }
    guard try await diskAtRest(id) == claim.subject.disk else { throw refusal }
    return path
  }

  /// The number of the VM's disk, which nobody writes.
  private func diskAtRest(_ id: VMID) async throws -> Int64 {
    guard let found = try await hypervisor.find(id) else { throw ServiceError.notFound(.vm) }
    guard found.power == .stopped else { throw ServiceError(.invalidState, "The VM is not off.") }
    return found.identity.disk
  }
}
