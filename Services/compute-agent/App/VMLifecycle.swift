import Foundation
import Models
import ServiceKit

/// Makes VMs what their specs say. Everything here may be done twice, and be cut off anywhere, and then done again.
struct VMLifecycle: Sendable {
  let hypervisor: Hypervisor
  let disks: VMDisks
  let shape: HostShape
  let power: PowerControl
  let capper: Capper
  let captures: Captures
  let arrivals: ArrivalDownloads
  let book: ReadinessBook
  let folders: AgentFolders
  let views: VMFolders
  let reports: Reports
  let fences: Fences
  let queue: VMQueue

  /// Makes the VM what the spec says.
  /// - Returns: What libvirt says then; a guest that was asked to power off is still running.
  /// - Throws: `stale_generation`, `invalid_state`, `unavailable`, `corrupt`, `conflict`, `no_space`.
  func apply(_ spec: VMSpec, _ fence: Fence) async throws -> VMReport {
    try await queue.alone(with: spec.id) {
      try await fences.accept(fence, of: spec.id)
      return try await converge(spec, fence)
    }
  }

  /// The same, for who has the VM for themselves already.
  func converge(_ spec: VMSpec, _ fence: Fence) async throws -> VMReport {
    try await Failpoint.hit("agent.put")
    let found = try await hypervisor.find(spec.id)
    let identity = try await ensureDefined(spec, fence, found)
    try await VMDisks.removeOlder(than: identity.disk, at: folders.paths(spec.id))
    let steps = try PowerPlan.steps(to: spec, from: found?.power ?? .stopped, boot: identity.boot)
    if steps.contains(.start) {
      try VMDisks.require(identity.disk, at: folders.paths(spec.id))
      try await captures.checkDiskIsFree(spec.id)
    }
    try await power.carryOut(steps, on: spec.id, identity, boot: spec.boot)
    if spec.power != .stopped, steps.contains(.start) || identity.caps != (spec.caps ?? .none) {
      try await capper.follow(spec.caps, on: spec.id)
    }
    let report = try await reports.vm(spec.id)
    // What could not be changed while it was on can be now.
    let hasEnded = report.power == .stopped && (found?.power ?? .stopped) != .stopped
    return hasEnded ? try await converge(spec, fence) : report
  }

  /// - Returns: What the domain's metadata says now.
  private func ensureDefined(_ spec: VMSpec, _ fence: Fence, _ found: Hypervisor.Owned?) async throws -> DomainIdentity
  {
    // One that is not to run yet has had all the starts that were asked for.
    let boot = found?.identity.boot ?? (spec.power == .stopped ? spec.boot : 0)
    var identity = DomainIdentity(
      owner: spec.owner, generation: fence.generation, boot: boot, disk: found?.identity.disk ?? spec.diskNumber,
      definition: found?.identity.definition, caps: found?.identity.caps ?? .none)
    let definition = Definition(spec: spec, paths: folders.paths(spec.id), shape: shape)
    let digest = definition.digest
    switch Definition.step(power: found?.power, noted: identity.definition, wanted: digest) {
    case .keep: if identity != found?.identity { try await hypervisor.note(identity, on: spec.id) }
    case .make, .replace:
      try await captures.checkDiskIsFree(spec.id)
      identity.disk = spec.diskNumber
      identity.definition = digest
      try await define(definition, identity)
    }
    return identity
  }

  /// Says what a running guest may use at most.
  /// - Throws: `stale_generation`, `not_found`, `invalid_state`, `conflict` for what the host cannot cap, `unavailable`.
  func cap(_ id: VMID, _ caps: Caps, _ fence: Fence) async throws -> VMReport {
    try await queue.alone(with: id) {
      try await fences.accept(fence, of: id)
      try await capper.require(caps, on: id, generation: fence.generation)
      return try await reports.vm(id)
    }
  }

  private func define(_ definition: Definition, _ identity: DomainIdentity) async throws {
    let spec = definition.xml.spec
    let paths = try folders.make(spec.id)
    try await disks.ensure(of: spec, at: paths)
    try await Failpoint.hit("agent.disk.made")
    try await definition.seed.write(to: paths.seed)
    try await hypervisor.define(definition.xml.document(identity))
    await book.define(spec.id, at: .now)
    try await Failpoint.hit("agent.defined")
  }

  /// Removes the VM and all that belongs to it. What is gone already is fine.
  /// - Throws: `stale_generation`, `conflict`, `unavailable`.
  func remove(_ id: VMID, _ fence: Fence) async throws {
    try await queue.alone(with: id) {
      try await fences.accept(fence, of: id)
      await captures.cancel(id)
      await arrivals.cancel(id)
      if let found = try await hypervisor.find(id) {
        if found.power != .stopped { try await hypervisor.destroy(id) }
        try await hypervisor.undefine(id)
        try await Failpoint.hit("agent.undefined")
      }
      try await views.remove(id)
      await power.forget(id)
    }
  }

  /// Takes the power of a VM that nobody knows, and keeps it.
  /// - Parameter generation: The highest that the domain may have; a later one belongs to somebody.
  /// - Returns: Nil when there is no such VM.
  /// - Throws: `conflict`, `unavailable`.
  func quarantine(_ id: VMID, generation: Int64) async throws -> VMReport? {
    try await queue.alone(with: id) {
      guard let found = try await hypervisor.find(id) else { return nil }
      guard found.identity.generation <= generation else {
        throw ServiceError(.conflict, "The VM is in use again.")
      }
      var identity = found.identity
      identity.quarantined = identity.quarantined ?? Self.wholeSeconds(.now)
      if identity != found.identity { try await hypervisor.note(identity, on: id) }
      await captures.cancel(id)
      if found.power != .stopped { try await hypervisor.destroy(id) }
      return try await reports.vm(id)
    }
  }

  private static func wholeSeconds(_ date: Date) -> Date {
    Date(timeIntervalSince1970: date.timeIntervalSince1970.rounded(.down))
  }
}
