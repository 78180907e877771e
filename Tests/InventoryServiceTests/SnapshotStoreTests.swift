import Foundation
import Models
import Persistence
import Testing

@testable import InventoryService

@Suite(.timeLimit(.minutes(5))) struct SnapshotStoreTests {
  private func save(_ vm: VMID, _ fixture: InventoryFixture, as caller: Caller? = nil) async throws -> Accepted<Image> {
    try await SnapshotStore(pool: fixture.pool).insert(
      NewSnapshot(name: "saved", desc: ""), of: vm, asking(caller ?? fixture.ana))
  }

  private func stopped(_ fixture: InventoryFixture) async throws -> VMID {
    let vm = try await fixture.add().resource.id
    try await fixture.settle(.stopped)
    return vm
  }

  private func claims(_ fixture: InventoryFixture) async throws -> (capture: Claim, image: Claim) {
    let both = [try #require(try await fixture.operations.claim()), try #require(try await fixture.operations.claim())]
    return (
      try #require(both.first { $0.kind == .vmCapture }), try #require(both.first { $0.kind == .imageSnapshot })
    )
  }

  @Test func aSnapshotIsAnImageThatWaitsForItsVM() async throws {
    try await InventoryFixture.with { fixture in
      let vm = try await stopped(fixture)
      let saved = try await save(vm, fixture)
      #expect(saved.resource.state == .importing && saved.resource.vm == vm && saved.operation?.kind == .imageSnapshot)
      // One thing at a time.
      #expect(await code { _ = try await save(vm, fixture) } == .invalidState)
      #expect(await code { _ = try await fixture.vms.ask(.start, of: vm, .use, asking(fixture.ana)) } == .invalidState)
      let (capture, _) = try await claims(fixture)
      #expect(try await fixture.intents.imageCaptured(by: capture) == saved.resource.id)
      try await fixture.intents.note(.frozen, of: saved.resource.id)
      try await fixture.intents.settle(
        capture, VMReport(id: vm, owner: .make(), generation: 2, power: .stopped))
      _ = try await fixture.vms.ask(.start, of: vm, .use, asking(fixture.ana))
      #expect(try await fixture.images.get(saved.resource.id, fixture.ana)?.consistency == .frozen)
    }
  }

  @Test func aRunningVMWhoseCopyFailsGoesOnRunning() async throws {
    try await InventoryFixture.with { fixture in
      let vm = try await fixture.add().resource.id
      try await fixture.settle(.running)
      let saved = try await save(vm, fixture)
      let (capture, image) = try await claims(fixture)
      try await fixture.intents.fail(capture, with: ServiceError(.noSpace, "The host's disk is full."))
      let after = try #require(try await fixture.vms.get(vm, fixture.ana))
      #expect(after.state == .running && after.reason == "The host's disk is full.")
      let again = try #require(try await fixture.operations.claim())
      #expect(again.kind == .vmStart && again.resource.uuid == vm.uuid)
      let failed = try #require(try await fixture.operations.get(capture.id))
      try await fixture.imports.fail(
        image, with: ServiceError(ErrorCode(wire: failed.error?.code ?? ""), failed.error?.message ?? ""))
      let result = try #require(try await fixture.images.get(saved.resource.id, fixture.ana))
      #expect(result.state == .error && result.error?.code == "no_space")
    }
  }

  @Test func aVMIsNeitherMovedNorGoneBeforeItsCopyIsFetched() async throws {
    try await InventoryFixture.with { fixture in
      let vm = try await stopped(fixture)
      let other = try await fixture.addHost("b:1")
      _ = try await save(vm, fixture)
      let (capture, image) = try await claims(fixture)
      try await fixture.intents.settle(capture, VMReport(id: vm, owner: .make(), generation: 2, power: .stopped))
      #expect(await code { _ = try await fixture.vms.move(vm, to: other, asking(fixture.admin)) } == .invalidState)
      _ = try await fixture.vms.delete(vm, asking(fixture.ana))
      let removal = try #require(try await fixture.operations.claim())
      #expect(removal.kind == .vmDelete)
      let waits = try await fixture.intents.waitsForCopy(vm, removal)
      try await fixture.imports.fail(image, with: ServiceError(.corrupt, "x"))
      let waitsStill = try await fixture.intents.waitsForCopy(vm, removal)
      #expect(waits && !waitsStill)
      try await fixture.intents.forget(vm, removal)
      #expect(try await fixture.vms.get(vm, fixture.ana) == nil)
    }
  }

  @Test func operatorsSaveAndViewersDoNot() async throws {
    try await InventoryFixture.with { fixture in
      let vm = try await stopped(fixture)
      try await fixture.pool.execute(Permissions.grant(.viewer, on: .vm(vm), to: fixture.eve.user))
      #expect(await code { _ = try await save(vm, fixture, as: fixture.eve) } == .forbidden)
      try await fixture.pool.execute("UPDATE inventory.permissions SET role = 'operator' WHERE role = 'viewer'")
      let saved = try await save(vm, fixture, as: fixture.eve)
      #expect(saved.resource.owner == fixture.eve.user)
    }
  }

  @Test func aCopyThatNobodyWaitsForIsDiscarded() async throws {
    try await InventoryFixture.with { fixture in
      let vm = try await stopped(fixture)
      let saved = try await save(vm, fixture)
      var report = VMReport(id: vm, owner: .make(), generation: 2, power: .stopped, bootID: "b")
      report.captures = [saved.resource.id]
      func discarded() async throws -> Int {
        try await fixture.reports.store(
          HostReport(facts: InventoryFixture.facts, vms: [report]), from: fixture.host,
          askedAt: Date().addingTimeInterval(3600)
        ).count
      }
      #expect(try await discarded() == 0)
      try await fixture.images.delete(saved.resource.id, fixture.ana)
      #expect(try await discarded() == 1)
    }
  }
}
