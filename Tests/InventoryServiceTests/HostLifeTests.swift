import Foundation
import Models
import Persistence
import Postgres
import Testing

@testable import InventoryService

/// Hosts that fall silent, come back, are given up and are removed; VMs that move between them.
@Suite(.timeLimit(.minutes(5))) struct HostLifeTests {
  private func report(
    _ vms: [VMReport], bootID: String = "b", remains: [VMID] = [], run: UUIDText = .make(), sequence: Int64 = 1
  ) -> HostReport {
    var facts = InventoryFixture.facts
    facts.bootID = bootID
    return HostReport(facts: facts, run: run, sequence: sequence, vms: vms, remains: remains)
  }

  private let later = Date().addingTimeInterval(3600)

  private func seen(_ vm: VMID, _ power: ObservedPower, cause: PowerCause? = nil, bootID: String = "b") -> VMReport {
    VMReport(id: vm, owner: .make(), generation: 1, power: power, cause: cause, bootID: bootID)
  }

  @Test func aVMThatEndedWithItsHostIsStartedAgain() async throws {
    try await InventoryFixture.with { fixture in
      let vm = try await fixture.add().resource.id
      try await fixture.settle(.stopped)
      _ = try await fixture.vms.ask(.start, of: vm, .use, asking(fixture.ana))
      try await fixture.settle(.running)
      _ = try await fixture.reports.store(
        report([seen(vm, .stopped, bootID: "c")], bootID: "c"), from: fixture.host, askedAt: later)
      let starting = try #require(try await fixture.vms.get(vm, fixture.ana))
      #expect(starting.state == .starting && starting.reason == "Its host was started again.")
      let claim = try #require(try await fixture.operations.claim())
      #expect(claim.kind == .vmStart)
      let intent = try #require(try await fixture.intents.intent(vm))
      #expect(intent.spec.boot == 2 && intent.spec.power == .running)
    }
  }

  @Test func aVMThatWasStoppedByHandIsNotStartedAgain() async throws {
    try await InventoryFixture.with { fixture in
      let vm = try await fixture.add().resource.id
      try await fixture.settle(.running)
      _ = try await fixture.reports.store(
        report([seen(vm, .stopped, cause: .hand)]), from: fixture.host, askedAt: later)
      let stopped = try #require(try await fixture.vms.get(vm, fixture.ana))
      #expect(stopped.state == .stopped && stopped.reason == "It was stopped on its host.")
      #expect(try await fixture.operations.claim() == nil)
    }
  }

  @Test func aLateReportChangesNothing() async throws {
    try await InventoryFixture.with { fixture in
      let vm = try await fixture.add().resource.id
      try await fixture.settle(.stopped)
      let run = UUIDText.make()
      let new = report([seen(vm, .running)], run: run, sequence: 7)
      let old = report([seen(vm, .stopped)], run: run, sequence: 6)
      for report in [new, old, new] {
        _ = try await fixture.reports.store(report, from: fixture.host, askedAt: later)
        #expect(try await fixture.vms.get(vm, fixture.ana)?.state == .running)
      }
    }
  }

  @Test func whatNobodyKnowsIsPutAsideAndShown() async throws {
    try await InventoryFixture.with { fixture in
      let stray = VMID.make()
      var stranger = seen(stray, .running)
      let first = try await fixture.reports.store(report([stranger]), from: fixture.host, askedAt: later)
      guard case .quarantine(generation: 1) = first.first?.kind, first.count == 1 else {
        Issue.record("\(first)")
        return
      }
      stranger.quarantined = Date()
      stranger.power = .stopped
      #expect(
        try await fixture.reports.store(report([stranger]), from: fixture.host, askedAt: later).isEmpty)
      #expect(try await fixture.hosts.get(fixture.host, fixture.admin)?.quarantined?.map(\.id) == [stray])
      #expect(try await fixture.hosts.get(fixture.host, fixture.ana)?.quarantined == nil)
      // Someone started it by hand.
      stranger.power = .running
      #expect(
        try await fixture.reports.store(report([stranger]), from: fixture.host, askedAt: later).count == 1)
    }
  }

  private func giveUp(_ host: HostID, _ fixture: InventoryFixture) async throws {
    try await fixture.pool.execute(
      "UPDATE inventory.hosts SET reachable = false, last_report_at = now() - interval '1 hour' WHERE id = \(host.uuid)"
    )
    _ = try await fixture.hosts.update(host, HostUpdate(state: .dead, overcommit: nil), asking(fixture.admin))
  }

  @Test func theVMsOfADeadHostAreRebuiltElsewhereAndTheirOldSelvesPutAside() async throws {
    try await InventoryFixture.with { fixture in
      let vm = try await fixture.add().resource.id
      try await fixture.settle(.running)
      let other = try await fixture.addHost("b:1")
      let before = try #require(try await fixture.hosts.link(fixture.host))
      // Nothing begins elsewhere as long as the host is only silent.
      try await fixture.pool.execute("UPDATE inventory.hosts SET last_report_at = now() - interval '1 hour'")
      try await fixture.reports.noteSilence(of: fixture.host)
      #expect(
        await code { _ = try await fixture.vms.rebuild(vm, from: fixture.image, asking(fixture.ana)) } == .invalidState)
      try await giveUp(fixture.host, fixture)
      #expect(try await fixture.hosts.link(fixture.host)?.generation == before.generation + 1)
      let lost = try #require(try await fixture.vms.get(vm, fixture.ana))
      #expect(lost.state == .error && lost.host == fixture.host)
      let rebuilt = try await fixture.vms.rebuild(vm, from: fixture.image, asking(fixture.ana))
      #expect(rebuilt.resource.host == other && rebuilt.resource.state == .creating)
      #expect(try await fixture.hosts.get(fixture.host, fixture.admin)?.memAllocated == 0)
      #expect(try await fixture.hosts.get(other, fixture.admin)?.memAllocated == 512)
      let corrections = try await fixture.reports.store(
        report([seen(vm, .running)]), from: fixture.host, askedAt: later)
      guard case .quarantine = corrections.first?.kind else {
        Issue.record("\(corrections)")
        return
      }
      // Where a former self was put aside, no new one takes its place.
      var former = seen(vm, .stopped)
      former.quarantined = Date()
      _ = try await fixture.reports.store(report([former]), from: fixture.host, askedAt: later)
      _ = try await fixture.hosts.update(
        fixture.host, HostUpdate(state: .up, overcommit: nil), asking(fixture.admin))
      try await fixture.settle(.stopped)
      #expect(
        await code { _ = try await fixture.vms.move(vm, to: fixture.host, asking(fixture.admin)) } == .noCapacity)
    }
  }

  @Test func whatAnotherHostHasByTheSameRightIsLeftAlone() async throws {
    try await InventoryFixture.with { fixture in
      let vm = try await fixture.add().resource.id
      try await fixture.settle(.running)
      // The same libvirt, reported by two hosts.
      let twin = try await fixture.addHost("b:1")
      #expect(
        try await fixture.reports.store(report([seen(vm, .running)]), from: twin, askedAt: later).isEmpty)
    }
  }

  @Test func aVMWhoseHostComesBackIsItselfAgain() async throws {
    try await InventoryFixture.with { fixture in
      let vm = try await fixture.add().resource.id
      try await fixture.settle(.running)
      try await giveUp(fixture.host, fixture)
      _ = try await fixture.reports.store(report([seen(vm, .running)]), from: fixture.host, askedAt: later)
      let back = try #require(try await fixture.vms.get(vm, fixture.ana))
      #expect(back.state == .running && back.reason == nil)
    }
  }

  @Test func aRebootThatFailedLeavesNoDebt() async throws {
    try await InventoryFixture.with { fixture in
      let vm = try await fixture.add().resource.id
      try await fixture.settle(.running)
      _ = try await fixture.vms.ask(.reboot, of: vm, .use, asking(fixture.ana))
      #expect(try await fixture.intents.intent(vm)?.spec.boot == 2)
      try await fixture.intents.fail(
        try #require(try await fixture.operations.claim()), with: ServiceError(.timeout, "It did not end."))
      _ = try await fixture.reports.store(report([seen(vm, .running)]), from: fixture.host, askedAt: later)
      #expect(try await fixture.intents.intent(vm)?.spec.boot == 1)
    }
  }

  @Test func aMoveAskedForAgainIsTheSameMove() async throws {
    try await InventoryFixture.with { fixture in
      let move = try await moving(fixture)
      let again = try await fixture.vms.move(move.vm, to: move.target, asking(fixture.admin))
      #expect(again.operation?.id == move.claim.id)
      #expect(try await room(move.target, fixture) == 512)
    }
  }

  @Test func aVMOnADeadHostIsRemovedAtOnceAndStaysRemoved() async throws {
    try await InventoryFixture.with { fixture in
      let vm = try await fixture.add().resource.id
      try await fixture.settle(.running)
      _ = try await fixture.vms.delete(vm, asking(fixture.ana))
      let claim = try #require(try await fixture.operations.claim())
      // A host that is only silent is waited for.
      #expect(try await !fixture.intents.forgetIfLost(vm, claim))
      try await giveUp(fixture.host, fixture)
      #expect(try await fixture.vms.get(vm, fixture.admin) == nil)
      let other = try await fixture.addHost("b:1")
      let second = try await fixture.add().resource
      #expect(second.host == other)
      let corrections = try await fixture.reports.store(
        report([seen(vm, .running)]), from: fixture.host, askedAt: later)
      guard case .bury = corrections.first?.kind, corrections.count == 1 else {
        Issue.record("\(corrections)")
        return
      }
    }
  }

  @Test func aVMOnItsWayToAHostThatLeavesStaysWhereItIs() async throws {
    try await InventoryFixture.with { fixture in
      let move = try await moving(fixture)
      _ = try await fixture.hosts.cascade(move.target, asking(fixture.admin))
      await #expect(throws: ClaimLost.self) { try await fixture.intents.arrive(move.claim, seen(move.vm, .stopped)) }
      let vm = try #require(try await fixture.vms.get(move.vm, fixture.ana))
      #expect(vm.host == fixture.host && vm.state == .stopped)
      #expect(try await room(move.target, fixture) == 0)
    }
  }

  @Test func aDeadHostIsRemovedWithItsVMsAtOnce() async throws {
    try await InventoryFixture.with { fixture in
      let vm = try await fixture.add().resource.id
      _ = try await fixture.vms.delete(vm, asking(fixture.ana))
      let second = try await fixture.add().resource.id
      try await giveUp(fixture.host, fixture)
      #expect(try await fixture.vms.get(vm, fixture.admin) == nil)
      _ = try await fixture.hosts.cascade(fixture.host, asking(fixture.admin))
      #expect(try await fixture.vms.get(second, fixture.admin) == nil)
      let claim = try #require(try await fixture.operations.claim())
      #expect(try await fixture.hosts.finishRemoval(claim))
      #expect(try await fixture.hosts.get(fixture.host, fixture.admin) == nil)
    }
  }

  @Test func aHostLeavesWhenItsVMsHaveLeft() async throws {
    try await InventoryFixture.with { fixture in
      let vm = try await fixture.add().resource.id
      try await fixture.settle(.stopped)
      let removal = try await fixture.hosts.cascade(fixture.host, asking(fixture.admin))
      #expect(try await fixture.hosts.cascade(fixture.host, asking(fixture.admin)).id == removal.id)
      #expect(try await fixture.hosts.get(fixture.host, fixture.admin)?.state == .removing)
      #expect(await code { _ = try await fixture.add() } == .noCapacity)
      var claims = [
        try #require(try await fixture.operations.claim()), try #require(try await fixture.operations.claim()),
      ]
      claims.sort { $0.kind.rawValue < $1.kind.rawValue }
      #expect(claims.map(\.kind) == [.hostDelete, .vmDelete])
      #expect(try await !fixture.hosts.finishRemoval(claims[0]))
      try await fixture.intents.forget(vm, claims[1])
      #expect(try await fixture.hosts.finishRemoval(claims[0]))
    }
  }

  // MARK: Moves

  private struct Moving {
    let vm: VMID
    let target: HostID
    let claim: Claim
  }

  private func moving(_ fixture: InventoryFixture) async throws -> Moving {
    let vm = try await fixture.add().resource.id
    try await fixture.settle(.stopped)
    let target = try await fixture.addHost("b:1")
    _ = try await fixture.vms.move(vm, to: target, asking(fixture.admin))
    return Moving(vm: vm, target: target, claim: try #require(try await fixture.operations.claim()))
  }

  private func room(_ host: HostID, _ fixture: InventoryFixture) async throws -> Int? {
    try await fixture.hosts.get(host, fixture.admin)?.memAllocated
  }

  @Test func aMoveReservesBothHostsAndThenOnlyTheNewOne() async throws {
    try await InventoryFixture.with { fixture in
      let move = try await moving(fixture)
      #expect(try await room(fixture.host, fixture) == 512)
      #expect(try await room(move.target, fixture) == 512)
      try await fixture.intents.arrive(move.claim, seen(move.vm, .stopped))
      #expect(try await fixture.vms.get(move.vm, fixture.ana)?.host == move.target)
      #expect(try await room(fixture.host, fixture) == 0)
      // What is left on the old host is removed there, and is not taken for a stranger.
      let corrections = try await fixture.reports.store(
        report([seen(move.vm, .stopped)]), from: fixture.host, askedAt: later)
      guard case .bury = corrections.first?.kind, corrections.count == 1 else {
        Issue.record("\(corrections)")
        return
      }
      #expect(
        await code { _ = try await fixture.vms.move(move.vm, to: fixture.host, asking(fixture.admin)) } == .conflict)
      _ = try await fixture.reports.store(report([]), from: fixture.host, askedAt: later)
      _ = try await fixture.vms.move(move.vm, to: fixture.host, asking(fixture.admin))
    }
  }

  @Test func aMoveThatFailsLeavesTheVMWhereItWas() async throws {
    try await InventoryFixture.with { fixture in
      let move = try await moving(fixture)
      try await fixture.intents.fail(move.claim, with: ServiceError(.noSpace, "The disk is full."))
      let vm = try #require(try await fixture.vms.get(move.vm, fixture.ana))
      #expect(vm.host == fixture.host && vm.state == .stopped && vm.reason == "The disk is full.")
      #expect(try await room(move.target, fixture) == 0)
      let corrections = try await fixture.reports.store(
        report([], remains: [move.vm]), from: move.target, askedAt: later)
      guard case .bury = corrections.first?.kind else {
        Issue.record("\(corrections)")
        return
      }
    }
  }

  @Test func aVMThatIsRemovedWhileItMovesGivesBackBothRooms() async throws {
    try await InventoryFixture.with { fixture in
      let move = try await moving(fixture)
      _ = try await fixture.vms.delete(move.vm, asking(fixture.ana))
      await #expect(throws: ClaimLost.self) { try await fixture.intents.arrive(move.claim, seen(move.vm, .stopped)) }
      try await fixture.intents.forget(move.vm, try #require(try await fixture.operations.claim()))
      #expect(try await room(fixture.host, fixture) == 0)
      #expect(try await room(move.target, fixture) == 0)
      #expect(
        try await FsckStore(pool: fixture.pool).load().violations.filter { $0.invariant == .reservationsMatch }.isEmpty)
    }
  }

  @Test func onlyAdministratorsMoveAndOnlyWhatIsStopped() async throws {
    try await InventoryFixture.with { fixture in
      let vm = try await fixture.add().resource.id
      let target = try await fixture.addHost("b:1")
      try await fixture.settle(.running)
      #expect(await code { _ = try await fixture.vms.move(vm, to: target, asking(fixture.ana)) } == .forbidden)
      #expect(await code { _ = try await fixture.vms.move(vm, to: target, asking(fixture.admin)) } == .invalidState)
      #expect(await code { _ = try await fixture.vms.move(vm, to: .make(), asking(fixture.admin)) } == .invalidField)
      #expect(try await room(target, fixture) == 0)
    }
  }
}
