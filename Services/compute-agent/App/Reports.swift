import Foundation
import Libvirt
import Models

/// Tells what libvirt and the disk say of this host and its VMs. It has a connection of its own, so that a command that
/// takes long does not keep the inventory from hearing.
actor Reports {
  private let hypervisor: Hypervisor
  private let facts: HostFactsReader
  private let views: VMFolders
  private let book: ReadinessBook
  private let queue: VMQueue
  private let arrivals: ArrivalDownloads
  private let meters: Meters
  private let run = UUIDText.make()
  private var sequence: Int64 = 0

  init(
    hypervisor: Hypervisor, facts: HostFactsReader, views: VMFolders, book: ReadinessBook, queue: VMQueue,
    arrivals: ArrivalDownloads, meters: Meters
  ) {
    self.hypervisor = hypervisor
    self.facts = facts
    self.views = views
    self.book = book
    self.queue = queue
    self.arrivals = arrivals
    self.meters = meters
  }

  /// The host and every VM of ours on it.
  func host() async throws -> HostReport {
    sequence += 1
    let number = sequence
    // What is being made or removed now is neither a VM nor the remains of one.
    let busy = await queue.busy.union(arrivals.busy)
    let listing = try await hypervisor.list()
    let leases = try await hypervisor.leases()
    let facts = try await facts.read()
    let looks = await views.look(
      at: Dictionary(listing.owned.map { ($0.id, $0.identity.disk) }, uniquingKeysWith: { first, _ in first }))
    var vms: [VMReport] = []
    for owned in listing.owned {
      vms.append(
        VMReport(
          owned, view: looks[owned.id] ?? VMFolders.View(), leases: leases[owned.id.mac] ?? [],
          steps: await book.steps(of: owned.id, at: .now), bootID: facts.bootID))
    }
    let domains = listing.strangers.union(listing.owned.map(\.domain.uuid))
    let remains = await views.all().filter { !domains.contains($0.uuid) && !busy.contains($0) }
    return HostReport(
      facts: facts, run: run, sequence: number, vms: vms, remains: remains,
      metering: await meters.read(listing.owned, bootID: facts.bootID))
  }

  /// One VM.
  /// - Throws: `unavailable` when it is gone.
  func vm(_ id: VMID) async throws -> VMReport {
    guard let owned = try await hypervisor.find(id) else {
      throw ServiceError(.unavailable, "The VM vanished from the host while it was worked on.")
    }
    return VMReport(
      owned, view: await views.look(at: id, disk: owned.identity.disk),
      leases: try await hypervisor.leases()[id.mac] ?? [], steps: await book.steps(of: id, at: .now),
      bootID: try facts.bootID())
  }
}

extension VMReport {
  init(
    _ owned: Hypervisor.Owned, view: VMFolders.View, leases: [DHCPLease], steps: [ReadinessStep], bootID: String
  ) {
    let isOn = owned.power == .running || owned.power == .paused
    self.init(
      id: owned.id, owner: owned.identity.owner, generation: owned.identity.generation, power: owned.power,
      cause: owned.domain.cause, boot: owned.identity.boot, bootID: bootID, hasDisk: view.hasDisk,
      quarantined: owned.identity.quarantined,
      addresses: isOn ? leases.map { VMAddress(ip: $0.address, mac: owned.id.mac) } : [], readiness: steps,
      hostKeys: view.hostKeys, captures: view.captures)
  }
}
