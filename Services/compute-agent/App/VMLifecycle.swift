import Foundation
import Logging
import Models
import ServiceKit

/// Makes VMs what their specs say. Everything here may be done twice, and be cut off anywhere, and then done again.
actor VMLifecycle {
  private let hypervisor: Hypervisor
  private let images: BaseImages
  private let generations: Generations
  private let facts: HostFactsReader
  private let folders: AgentFolders
  private var busy: [VMID: Task<Void, Never>] = [:]
  private var pressed: [VMID: ContinuousClock.Instant] = [:]

  /// Time between two presses of a power button: a guest may take a second one for something else.
  private static let pressInterval: Duration = .seconds(8)

  init(
    hypervisor: Hypervisor, images: BaseImages, generations: Generations, facts: HostFactsReader, folders: AgentFolders
  ) {
    self.hypervisor = hypervisor
    self.images = images
    self.generations = generations
    self.facts = facts
    self.folders = folders
  }

  /// Makes the VM what the spec says.
  /// - Returns: What libvirt says then; a guest that was asked to power off is still running.
  /// - Throws: `stale_generation`, `unavailable`, `corrupt`, `conflict`, `no_space`.
  func apply(_ spec: VMSpec) async throws -> VMReport {
    try await alone(with: spec.id) {
      try await self.generations.accept(spec.generation, of: spec.id)
      try await self.ensureDefined(spec)
      try await self.bringPower(of: spec)
      return try await self.report(of: spec.id)
    }
  }

  /// Removes the VM and all that belongs to it. What is gone already is fine.
  /// - Throws: `stale_generation`, `conflict`, `unavailable`.
  func remove(_ id: VMID, generation: Int64) async throws {
    try await alone(with: id) {
      try await self.generations.accept(generation, of: id)
      if let found = try await self.hypervisor.find(id) {
        if found.domain.state.observed != .stopped { try await self.hypervisor.destroy(id) }
        try await self.hypervisor.undefine(id)
      }
      try self.folders.remove(id)
      await self.forgetPress(of: id)
    }
  }

  /// The host and every VM of ours on it.
  func reportAll() async throws -> HostReport {
    var vms: [VMReport] = []
    for owned in try await hypervisor.all() { vms.append(try await report(of: owned)) }
    return HostReport(facts: try await facts.read(), vms: vms)
  }

  private func ensureDefined(_ spec: VMSpec) async throws {
    let identity = DomainIdentity(owner: spec.owner, generation: spec.generation)
    if let found = try await hypervisor.find(spec.id) {
      if found.identity != identity { try await hypervisor.note(identity, on: spec.id) }
      return
    }
    let paths = try folders.make(spec.id)
    try await ensureDisk(of: spec, at: paths)
    try await Seed(spec: spec).write(to: paths.seed)
    try await hypervisor.define(
      DomainXML(spec: spec, paths: paths, virtualisation: facts.virtualisation, network: hypervisor.network))
  }

  /// An overlay over the image, made under another name first: what has the final name is whole.
  private func ensureDisk(of spec: VMSpec, at paths: VMPaths) async throws {
    let path = paths.disk
    guard !FileManager.default.fileExists(atPath: path) else { return }
    let base = try await images.path(of: spec, linkedAs: paths.base)
    let outcome = try await Tool.run(
      "qemu-img",
      ["create", "-q", "-f", "qcow2", "-F", "qcow2", "-b", base, path + ".part", "\(spec.disk)G"])
    guard outcome.succeeded else {
      throw outcome.errors.contains("No space left")
        ? ServiceError(.noSpace, "The host's disk is full.")
        : ServiceError(.internalError, "The VM's disk cannot be made.", detail: outcome.errors)
    }
    try await Files.shared.publish(path + ".part", as: path)
  }

  private func bringPower(of spec: VMSpec) async throws {
    let power = try await hypervisor.find(spec.id)?.domain.state.observed ?? .stopped
    switch (spec.power, power) {
    case (.running, .stopped): try await hypervisor.start(spec.id)
    case (.running, .crashed):
      try await hypervisor.destroy(spec.id)
      try await hypervisor.start(spec.id)
    case (.running, .paused): try await hypervisor.resume(spec.id)
    case (.stopped, .running): try await pressPowerButton(of: spec.id)
    case (.stopped, .paused), (.stopped, .crashed), (.off, .running), (.off, .paused), (.off, .crashed):
      try await hypervisor.destroy(spec.id)
    case (.running, .running), (.stopped, .stopped), (.off, .stopped): break
    }
    if spec.power == .running { pressed[spec.id] = nil }
  }

  private func pressPowerButton(of id: VMID) async throws {
    if let last = pressed[id], ContinuousClock.now - last < Self.pressInterval { return }
    pressed[id] = .now
    try await hypervisor.pressPowerButton(id)
  }

  private func forgetPress(of id: VMID) { pressed[id] = nil }

  private func report(of id: VMID) async throws -> VMReport {
    guard let found = try await hypervisor.find(id) else {
      throw ServiceError(.unavailable, "The VM vanished from the host while it was worked on.")
    }
    return try await report(of: found)
  }

  private func report(of owned: Hypervisor.Owned) async throws -> VMReport {
    let id = VMID(owned.domain.uuid)
    let power = owned.domain.state.observed
    return VMReport(
      id: id, generation: owned.identity.generation, power: power,
      addresses: power == .running ? try await hypervisor.addresses(of: id) : [])
  }

  /// Runs the body when nothing else is being done to the VM; in the order of the calls.
  private func alone<Value: Sendable>(
    with id: VMID, _ body: @escaping @Sendable () async throws -> Value
  ) async throws -> Value {
    let before = busy[id]
    let work = Task {
      await before?.value
      return try await body()
    }
    let marker = Task { _ = await work.result }
    busy[id] = marker
    defer { if busy[id] == marker { busy[id] = nil } }
    return try await work.value
  }
}
