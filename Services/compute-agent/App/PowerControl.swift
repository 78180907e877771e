import Foundation
import Models
import ServiceKit

/// Carries out what has to be done to a VM's power.
actor PowerControl {
  private let hypervisor: Hypervisor
  private let book: ReadinessBook
  private let views: VMFolders
  private var pressed: [VMID: ContinuousClock.Instant] = [:]

  /// Time between two presses of a power button: a guest may take a second one for something else.
  private static let pressInterval: Duration = .seconds(8)

  init(hypervisor: Hypervisor, book: ReadinessBook, views: VMFolders) {
    self.hypervisor = hypervisor
    self.book = book
    self.views = views
  }

  /// - Parameters:
  ///   - identity: What the domain's metadata says now.
  ///   - boot: The number of the start, if there will be one; it is noted before.
  func carryOut(_ steps: [PowerStep], on id: VMID, _ identity: DomainIdentity, boot: Int64) async throws {
    for step in steps {
      switch step {
      case .start: try await start(id, identity, boot: boot)
      case .suspend: try await hypervisor.suspend(id)
      case .resume: try await hypervisor.resume(id)
      case .press: try await press(id)
      case .destroy: try await hypervisor.destroy(id)
      }
    }
  }

  private func start(_ id: VMID, _ identity: DomainIdentity, boot: Int64) async throws {
    pressed[id] = nil
    var identity = identity
    identity.boot = boot
    identity.caps = .none
    try await hypervisor.note(identity, on: id)
    try await Failpoint.hit("agent.boot.noted")
    try await views.markStart(of: id)
    await book.announce(id, leases: try await hypervisor.leases()[id.mac] ?? [], at: .now)
    try await hypervisor.start(id)
    try await Failpoint.hit("agent.started")
  }

  private func press(_ id: VMID) async throws {
    if let last = pressed[id], ContinuousClock.now - last < Self.pressInterval { return }
    pressed[id] = .now
    try await hypervisor.pressPowerButton(id)
  }

  func forget(_ id: VMID) { pressed[id] = nil }
}
