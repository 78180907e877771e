import Clients
import Foundation
import Models
import ServiceKit

/// Brings a VM from what it is to what was asked for, by telling its host's agent the whole of it.
struct VMWork: Sendable {
  let store: VMIntentStore
  let operations: OperationStore
  let hosts: Hosts
  let content: ImageContent
  /// Seconds a guest has to power itself off before its power is taken.
  var graceSeconds: Double = 30

  func carryOut(_ claim: Claim) async throws -> WorkResult {
    guard let intent = try await store.intent(VMID(claim.resource.uuid)) else { throw ServiceError.notFound(.vm) }
    let command = try await command(to: intent.host, intent, claim)
    // What a later look finds to tell stays until then.
    let step = claim.attempt == 1 ? Self.step(claim.kind) : nil
    guard try await operations.renew(claim, step: step, progress: nil) else { throw ClaimLost() }
    return try await operations.keepingLease(of: claim) {
      switch claim.kind {
      case .vmDelete: try await delete(intent, claim, command)
      case .vmCapture: try await capture(intent, claim, command)
      case .vmMove: try await move(intent, claim, command)
      case .vmCap: try await cap(intent, claim, command)
      default: try await apply(intent, claim, command)
      }
    }
  }

  /// An agent, and the fence under which it is commanded.
  private struct Command: Sendable {
    let agent: AgentClient
    let origin: CallOrigin
  }

  private func command(to host: HostID, _ intent: VMIntent, _ claim: Claim) async throws -> Command {
    let (agent, generation) = try await hosts.agent(of: host)
    let fence = Fence(host: generation, generation: intent.generation, epoch: claim.epoch)
    return Command(agent: agent, origin: CallOrigin(requestID: claim.requestID).fenced(fence))
  }

  /// The spec as the agent gets it.
  private func spec(of intent: VMIntent) -> VMSpec {
    var spec = intent.spec
    spec.makesDisk = false
    spec.image.url = content.url(of: spec.image.id)
    return spec
  }

  // MARK: Power and definition

  private func apply(_ intent: VMIntent, _ claim: Claim, _ command: Command) async throws -> WorkResult {
    var spec = spec(of: intent)
    spec.isForced = claim.kind == .vmReset || claim.patience > graceSeconds
    spec.makesDisk = claim.kind == .vmCreate || claim.kind == .vmRebuild
    try await Failpoint.hit("inventory.\(claim.kind.rawValue).before")
    let report = try await command.agent.put(spec, command.origin)
    try await Failpoint.hit("inventory.\(claim.kind.rawValue).after")
    guard report.power == spec.power.observed, spec.power == .stopped || report.boot >= spec.boot else {
      let isAsking = report.power == .running
      return .again(
        afterSeconds: 0.3, step: isAsking ? "waiting for the guest to end" : "waiting for libvirt",
        isAsking: isAsking)
    }
    try await store.settle(claim, report)
    return .ended
  }

  private func delete(_ intent: VMIntent, _ claim: Claim, _ command: Command) async throws -> WorkResult {
    try await Failpoint.hit("inventory.vm_delete.before")
    if try await store.waitsForCopy(intent.spec.id, claim) {
      if try await store.forgetIfLost(intent.spec.id, claim) { return .ended }
      var spec = spec(of: intent)
      spec.isForced = true
      // What became of it does not matter any more; it is removed next.
      _ = try? await command.agent.put(spec, command.origin)
      return .again(afterSeconds: 1, step: "waiting until the image that is made of it is safe")
    }
    do { try await command.agent.delete(intent.spec.id, command.origin) } catch let error as ServiceError
      where error.code == .unavailable
    {
      // A host that was given up is not waited for; it removes the VM should it ever come back.
      guard try await store.forgetIfLost(intent.spec.id, claim) else { throw error }
      return .ended
    }
    try await Failpoint.hit("inventory.vm_delete.after")
    try await store.forget(intent.spec.id, claim)
    return .ended
  }

  // MARK: Copying the disk

  /// The copy is made by the agent while the guest holds still; one that cannot be made to is stopped for it. Afterwards
  /// the VM is as it was.
  private func capture(_ intent: VMIntent, _ claim: Claim, _ command: Command) async throws -> WorkResult {
    guard let image = try await store.imageCaptured(by: claim) else {
      throw ServiceError(.notFound, "The image was removed while the VM was being saved.")
    }
    try await Failpoint.hit("inventory.vm_capture.before")
    let capture = try await command.agent.capture(intent.spec.id, for: image, command.origin)
    if let consistency = capture.consistency { try await store.note(consistency, of: image) }
    if capture.needsPowerOff { return try await stop(intent, claim, command) }
    guard capture.isDone else {
      guard try await operations.renew(claim, step: "copying the disk", progress: capture.progress) else {
        throw ClaimLost()
      }
      return .again(afterSeconds: 0.5, step: "copying the disk")
    }
    try await Failpoint.hit("inventory.vm_capture.copied")
    let spec = spec(of: intent)
    let report = try await command.agent.put(spec, command.origin)
    guard report.power == spec.power.observed else { return .again(afterSeconds: 0.3, step: "starting again") }
    try await store.settle(claim, report)
    return .ended
  }

  private func stop(_ intent: VMIntent, _ claim: Claim, _ command: Command) async throws -> WorkResult {
    // What comes after the copy is another run of the guest.
    try await store.endRun(of: intent.spec.id, claim)
    var spec = spec(of: intent)
    spec.power = .stopped
    spec.isForced = claim.patience > graceSeconds
    _ = try await command.agent.put(spec, command.origin)
    return .again(afterSeconds: 0.3, step: "stopping the guest for the copy", isAsking: true)
  }

  private func cap(_ intent: VMIntent, _ claim: Claim, _ command: Command) async throws -> WorkResult {
    try await Failpoint.hit("inventory.vm_cap.before")
    let report = try await command.agent.cap(intent.spec.id, intent.spec.caps ?? .none, command.origin)
    try await Failpoint.hit("inventory.vm_cap.after")
    try await store.settle(claim, report)
    return .ended
  }

  // MARK: Moving

  /// The new host fetches the disk from the old one and checks it. Only then the VM is the new host's, and only after that
  /// the old host's copy goes.
  private func move(_ intent: VMIntent, _ claim: Claim, _ command: Command) async throws -> WorkResult {
    guard let target = intent.movingTo else { throw ServiceError.notFound(.host) }
    let arrivals = try await self.command(to: target, intent, claim)
    try await Failpoint.hit("inventory.vm_move.before")
    let offer = try await command.agent.offer(intent.spec.id, command.origin)
    try await Failpoint.hit("inventory.vm_move.offered")
    var spec = spec(of: intent)
    spec.power = .stopped
    let report: VMReport
    do { report = try await arrivals.agent.receive(Arrival(spec: spec, offer: offer), arrivals.origin) } catch let error
      as ServiceError where error.code == .unavailable || (error.code == .hostRefused && claim.age < Self.meeting)
    {
      return .again(afterSeconds: 1, step: "copying the disk to the new host")
    }
    try await Failpoint.hit("inventory.vm_move.received")
    try await store.arrive(claim, report)
    try await Failpoint.hit("inventory.vm_move.after")
    // Else it is found by the next report.
    try? await command.agent.delete(intent.spec.id, command.origin)
    return .ended
  }

  /// Seconds in which two hosts have to find each other.
  private static let meeting: Double = 120

  private static func step(_ kind: OperationKind) -> String {
    switch kind {
    case .vmCreate: "making the disk and the domain"
    case .vmStart: "starting"
    case .vmStop: "stopping"
    case .vmReboot, .vmReset: "starting anew"
    case .vmPause: "pausing"
    case .vmResume: "resuming"
    case .vmResize: "resizing"
    case .vmRebuild: "making a new disk"
    case .vmCapture: "saving"
    case .vmMove: "moving"
    case .vmCap: "capping"
    default: "removing"
    }
  }
}

extension DesiredPower {
  var observed: ObservedPower {
    switch self {
    case .running: .running
    case .paused: .paused
    case .stopped: .stopped
    }
  }
}
