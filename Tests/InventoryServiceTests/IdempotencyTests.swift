import Foundation
import Models
import Testing

@testable import InventoryService

/// One key, one effect.
@Suite(.timeLimit(.minutes(5))) struct IdempotencyTests {
  @Test func theSameRequestUnderTheSameKeyIsCarriedOutOnceHoweverOftenItComes() async throws {
    try await InventoryFixture.with { fixture in
      let asked = asking(fixture.ana, key: "k")
      let ids = try await withThrowingTaskGroup(of: VMID.self) { group in
        for _ in 0..<32 {
          group.addTask {
            try await fixture.vms.insert(fixture.newVM(), VMDefaults(mem: 512, vcpus: 1), asked).resource.id
          }
        }
        return try await group.reduce(into: Set<VMID>()) { $0.insert($1) }
      }
      #expect(ids.count == 1)
      #expect(try await fixture.hosts.get(fixture.host, fixture.admin)?.memAllocated == 512)
    }
  }

  @Test func anotherRequestUnderTheKeyIsRefusedAndAnotherCallersKeyIsAnother() async throws {
    try await InventoryFixture.with { fixture in
      func add(_ mem: Int, _ caller: Caller) async throws -> VMID {
        try await fixture.vms.insert(
          fixture.newVM(mem: mem), VMDefaults(mem: 512, vcpus: 1), asking(caller, key: "k")
        ).resource.id
      }
      let first = try await add(512, fixture.ana)
      #expect(await code { _ = try await add(513, fixture.ana) } == .invalidField)
      let other = try await add(512, fixture.admin)
      #expect(other != first)
    }
  }

  @Test func aRequestThatFailedMayBeRepeated() async throws {
    try await InventoryFixture.with { fixture in
      let asked = asking(fixture.ana, key: "k")
      func add() async throws -> VM {
        try await fixture.vms.insert(fixture.newVM(mem: 5120), VMDefaults(mem: 1, vcpus: 1), asked).resource
      }
      let first = try await fixture.add()
      #expect(await code { _ = try await add() } == .noCapacity)
      try await fixture.settle(.stopped)
      _ = try await fixture.vms.delete(first.resource.id, asking(fixture.ana))
      try await fixture.intents.forget(first.resource.id, try #require(try await fixture.operations.claim()))
      #expect(try await add().mem == 5120)
    }
  }

  @Test func aKeyIsForgottenAfterADay() async throws {
    try await InventoryFixture.with { fixture in
      func add() async throws -> VMID {
        try await fixture.vms.insert(
          fixture.newVM(), VMDefaults(mem: 512, vcpus: 1), asking(fixture.ana, key: "k")
        ).resource.id
      }
      let first = try await add()
      try await fixture.pool.execute("UPDATE inventory.idempotency SET created_at = now() - interval '25 hours'")
      let second = try await add()
      #expect(first != second)
    }
  }

  @Test func imagesKeysAndSharesHaveThemToo() async throws {
    try await InventoryFixture.with { fixture in
      let record = ImageRecord(
        name: "i", desc: "", url: nil, sha256: nil, checksums: nil, arch: Architecture.standard)
      let request = NewImage(url: nil, name: "i", desc: "")
      let key = NewSSHKey(name: "laptop", key: SSHKeyTests.key, isDefault: false)
      let keys = SSHKeys(store: SSHKeyStore(pool: fixture.pool))
      let grant = Grant(user: fixture.eve.user, role: .viewer, expiresAt: nil)
      func once<Answer: Equatable>(_ body: () async throws -> Answer) async throws {
        let first = try await body()
        let second = try await body()
        #expect(first == second)
      }
      try await once { try await fixture.images.insert(record, request, asking(fixture.ana, key: "1")).resource.id }
      try await once { try await keys.add(key, asking(fixture.ana, key: "2")).id }
      try await once {
        try await fixture.shares.grant(grant, on: .image(fixture.image), asking(fixture.ana, key: "3")).user
      }
    }
  }
}
