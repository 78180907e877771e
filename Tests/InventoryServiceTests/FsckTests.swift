import Foundation
import Models
import Testing

@testable import InventoryService

/// Each promise, broken on purpose.
@Suite(.timeLimit(.minutes(5))) struct FsckTests {
  private func broken(_ fixture: InventoryFixture) async throws -> Set<Invariant> {
    Set(try await FsckStore(pool: fixture.pool).load().violations.map(\.invariant))
  }

  private func settled(_ fixture: InventoryFixture, _ power: ObservedPower = .stopped) async throws -> VMID {
    let vm = try await fixture.add().resource.id
    try await fixture.settle(power)
    return vm
  }

  @Test func whatIsRightIsClean() async throws {
    try await InventoryFixture.with { fixture in
      _ = try await settled(fixture)
      _ = try await fixture.add()
      #expect(try await broken(fixture) == [])
    }
  }

  @Test(arguments: [
    ("UPDATE inventory.hosts SET mem_allocated = mem_allocated + 1", Invariant.reservationsMatch),
    ("UPDATE inventory.hosts SET mem = 100", .reservationsMatch),
    ("UPDATE inventory.counts SET number = number + 1 WHERE collection = 'vms'", .usageMatches),
    ("DELETE FROM inventory.permissions WHERE type = 'vm'", .permissionsAreLive),
    (
      "INSERT INTO inventory.permissions VALUES (gen_random_uuid(), gen_random_uuid(), 'vm', 'viewer')",
      .permissionsAreLive
    ),
    (
      "INSERT INTO inventory.idempotency VALUES (gen_random_uuid(), 'k', '\\x00', NULL)", .requestsHaveOneEffect
    ),
    ("UPDATE inventory.vms SET state = 'starting'", .operationsEnd),
    ("UPDATE inventory.vms SET moving_to = host", .operationsEnd),
    ("UPDATE inventory.vms SET desired = 'deleted'", .operationsEnd),
    ("UPDATE inventory.images SET state = 'importing'", .operationsEnd),
    ("UPDATE inventory.hosts SET wanted = 'removing'", .operationsEnd),
    ("UPDATE inventory.operations SET status = 'running', deadline_at = now() - interval '1 hour'", .operationsEnd),
    ("UPDATE inventory.vms SET observed_generation = 99", .nothingOvertaken),
  ])
  func whatIsBrokenIsFound(statement: String, invariant: Invariant) async throws {
    try await InventoryFixture.with { fixture in
      _ = try await settled(fixture)
      try await fixture.pool.withConnection { try $0.executeScript(statement) }
      #expect(try await broken(fixture).contains(invariant))
    }
  }

  @Test func sumsPermissionsAndLostWorkAreRepaired() async throws {
    try await InventoryFixture.with { fixture in
      let vm = try await settled(fixture)
      try await fixture.pool.withConnection { connection in
        try connection.executeScript(
          """
          UPDATE inventory.hosts SET mem_allocated = 7;
          UPDATE inventory.counts SET number = 5 WHERE collection = 'vms';
          DELETE FROM inventory.permissions WHERE type = 'vm';
          UPDATE inventory.vms SET state = 'starting';
          """)
      }
      try await FsckStore(pool: fixture.pool).repair()
      #expect(try await broken(fixture) == [])
      #expect(try await fixture.vms.get(vm, fixture.ana)?.state == .unknown)
      #expect(try await fixture.hosts.get(fixture.host, fixture.admin)?.memAllocated == 512)
    }
  }

  private func found(_ vms: [VMReport], remains: [VMID] = [], _ fixture: InventoryFixture) async throws -> [Invariant] {
    let state = try await FsckStore(pool: fixture.pool).load()
    let report = HostReport(facts: InventoryFixture.facts, vms: vms, remains: remains)
    return Fsck.check(report, of: fixture.host, state).map(\.invariant)
  }

  @Test func hostsAndRowsAreCompared() async throws {
    try await InventoryFixture.with { fixture in
      let vm = try await settled(fixture)
      func seen(_ power: ObservedPower, generation: Int64 = 1, hasDisk: Bool = true) -> VMReport {
        VMReport(id: vm, owner: .make(), generation: generation, power: power, hasDisk: hasDisk)
      }
      #expect(try await found([seen(.stopped)], fixture) == [])
      #expect(try await found([], fixture) == [.domainsHaveRows])
      #expect(try await found([seen(.running)], fixture) == [.domainsHaveRows])
      #expect(try await found([seen(.stopped, generation: 2)], fixture) == [.nothingOvertaken])
      #expect(try await found([seen(.stopped, hasDisk: false)], fixture) == [.filesHaveRows])
      #expect(try await found([seen(.stopped)], remains: [.make()], fixture) == [.filesHaveRows])
      var saved = seen(.stopped)
      saved.captures = [.make()]
      #expect(try await found([saved], fixture) == [.filesHaveRows])
      var stray = VMReport(id: .make(), owner: .make(), generation: 1, power: .stopped)
      #expect(try await found([seen(.stopped), stray], fixture) == [.domainsHaveRows])
      stray.quarantined = Date()
      #expect(try await found([seen(.stopped), stray], fixture) == [])
      #expect(Fsck.checkTwice([seen(.running), seen(.running)]).map(\.invariant) == [.noVMRunsTwice])
      #expect(Fsck.checkTwice([seen(.running), seen(.stopped)]).isEmpty)
    }
  }

  @Test func filesAndRowsAreCompared() async throws {
    try await ImportFixture.with { fixture in
      let fsck = Fsck(
        store: FsckStore(pool: fixture.store.pool), hosts: fixture.store.agents, files: fixture.files, users: nil)
      // The image of the fixture has a row and no file; its host has an address where nobody answers.
      let whole = try await fsck.check()
      #expect(whole.violations.map(\.invariant) == [.imagesAreWhole])
      #expect(whole.unchecked.count == 2)
      let stranger = fixture.files.file(of: .make())
      _ = FileManager.default.createFile(atPath: stranger, contents: Data())
      _ = FileManager.default.createFile(
        atPath: fixture.files.received(StagedName(image: .make(), epoch: 1)), contents: Data())
      let found = try await fsck.settled(within: .zero)
      #expect(found.violations.map(\.invariant) == [.imagesAreWhole, .filesHaveRows, .filesHaveRows])
    }
  }
}
