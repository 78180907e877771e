import Clients
import Foundation
import Models

/// Brings a VM from what it is to what was asked for, by telling its host's agent the whole of it.
struct VMWork: Sendable {
  let store: VMIntentStore
  let operations: OperationStore
  let hosts: Hosts
  let content: ImageContent

  /// Seconds a guest has to power itself off before its power is taken.
  private static let grace: Double = 30

  func carryOut(_ claim: Claim) async throws -> WorkResult {
    let id = VMID(claim.resource.uuid)
    guard let intent = try await store.intent(id) else { throw ServiceError.notFound(.vm) }
    guard let agent = try await hosts.agent(of: intent.host) else { throw ServiceError.notFound(.host) }
    guard try await operations.renew(claim, step: Self.step(claim.kind), progress: nil) else { throw ClaimLost() }
    let origin = CallOrigin(requestID: claim.requestID)
    return try await operations.keepingLease(of: claim) {
      claim.kind == .vmDelete
        ? try await delete(intent, claim, agent, origin) : try await apply(intent, claim, agent, origin)
    }
  }

  private func apply(
    _ intent: VMIntent, _ claim: Claim, _ agent: AgentClient, _ origin: CallOrigin
  ) async throws -> WorkResult {
    var spec = intent.spec
    spec.imageURL = content.url(of: spec.image)
    if spec.power == .stopped, claim.kind == .vmStop, claim.age > Self.grace { spec.power = .off }
    let report = try await agent.put(spec, origin)
    let wanted: ObservedPower = spec.power == .running ? .running : .stopped
    guard report.power == wanted else {
      return .again(
        afterSeconds: 0.3, step: wanted == .stopped ? "waiting for the guest to power off" : "waiting for libvirt")
    }
    try await store.settle(claim, report)
    return .ended
  }

  private func delete(
    _ intent: VMIntent, _ claim: Claim, _ agent: AgentClient, _ origin: CallOrigin
  ) async throws -> WorkResult {
    try await agent.delete(intent.spec.id, generation: intent.spec.generation, origin)
    try await store.forget(intent.spec.id, claim)
    return .ended
  }

  private static func step(_ kind: OperationKind) -> String {
    switch kind {
    case .vmCreate: "making the disk and the domain"
    case .vmStart: "starting"
    case .vmStop: "stopping"
    default: "removing"
    }
  }
}
