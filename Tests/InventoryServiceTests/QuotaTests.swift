import Foundation
import Models
import Persistence
import Testing

@testable import InventoryService

/// What people hold is never more than they may, whoever asks how often at once.
@Suite(.timeLimit(.minutes(5))) struct QuotaTests {
  private static let many = 64

  private func add(
    _ fixture: InventoryFixture, limits: Limits, mem: Int = 64, as caller: Caller? = nil, key: String? = nil
  ) async throws -> Accepted<VM> {
    try await fixture.vms.insert(
      fixture.newVM(mem: mem), VMDefaults(mem: 512, vcpus: 1), asking(caller ?? fixture.ana, key: key, limits: limits))
  }

  private func add(
    image name: String, _ fixture: InventoryFixture, limits: Limits
  ) async throws -> Accepted<Image> {
    try await fixture.images.insert(
      ImageRecord(name: name, desc: "", url: nil, sha256: nil, checksums: nil, arch: "x86_64"),
      NewImage(url: nil, name: name, desc: ""), asking(fixture.ana, limits: limits))
  }

  private func usage(_ fixture: InventoryFixture) async throws -> [QuotaResource: Int64] {
    try await QuotaStore(pool: fixture.pool).usage(of: fixture.ana.user).held
  }

  /// How often a body that is run many times at once is refused for the quota; anything else is thrown.
  private func refusals(_ body: @escaping @Sendable (Int) async throws -> Void) async throws -> Int {
    try await withThrowingTaskGroup(of: Int.self) { group in
      for number in 0..<Self.many {
        group.addTask {
          do { try await body(number) } catch let error as ServiceError where error.code == .quotaExceeded { return 1 }
          return 0
        }
      }
      return try await group.reduce(0, +)
    }
  }

  @Test func ofManyAtOnceExactlyAsManyGetOneAsMay() async throws {
    try await InventoryFixture.with { fixture in
      for round in 1...5 {
        let limits = Limits([.vms: 10, .images: 1 + 10])
        let refusedVMs = try await refusals { _ in _ = try await add(fixture, limits: limits) }
        let refusedImages = try await refusals { _ = try await add(image: "i\($0)", fixture, limits: limits) }
        #expect(refusedVMs == Self.many - 10 && refusedImages == Self.many - 10, "round \(round)")
        let held = try await usage(fixture)
        #expect(held[.vms] == 10 && held[.vcpus] == 10 && held[.mem] == 640 && held[.images] == 11)
        try await fixture.pool.execute("DELETE FROM inventory.operations")
        try await fixture.pool.execute("DELETE FROM inventory.vms")
        try await fixture.pool.execute(
          "UPDATE inventory.hosts SET cpus_allocated = 0, mem_allocated = 0, disk_allocated = 0")
        try await fixture.pool.execute(
          "UPDATE inventory.images SET deleted_at = now() WHERE id <> \(fixture.image.uuid)")
      }
    }
  }

  @Test func aRefusalSaysWhatIsUsedAndWhatWasAskedFor() async throws {
    try await InventoryFixture.with { fixture in
      let limits = Limits([.mem: 200])
      _ = try await add(fixture, limits: limits)
      do {
        _ = try await add(fixture, limits: limits, mem: 150)
        Issue.record("not refused")
      } catch let error as ServiceError {
        #expect(error.quota == QuotaRefusal(resource: .mem, limit: 200, used: 64, requested: 150))
        #expect(error.message.hasPrefix("Your quota is 200 MiB of memory: 64 are in use"))
      }
      // Nothing was left of what was refused.
      let host = try #require(try await fixture.hosts.get(fixture.host, fixture.admin))
      #expect(host.memAllocated == 64)
    }
  }

  @Test func aVMGrowsToTheLimitAndNotBeyond() async throws {
    try await InventoryFixture.with { fixture in
      var vms: [VMID] = []
      for _ in 0..<4 {
        vms.append(try await add(fixture, limits: Limits([.vcpus: 8])).resource.id)
        try await fixture.settle(.stopped)
      }
      let all = vms
      let refused = try await refusals { number in
        // Those that come upon another's operation are refused for that, and grow nothing.
        do {
          _ = try await fixture.vms.resize(
            all[number % 4], to: VMSize(mem: nil, vcpus: 2 + number % 3, disk: nil),
            asking(fixture.ana, limits: Limits([.vcpus: 8])))
        } catch let error as ServiceError where error.code == .invalidState {}
      }
      let held = try await usage(fixture)
      #expect(held[.vcpus, default: 0] <= 8 && refused > 0)
    }
  }

  @Test func aLowerLimitTakesNothingAndBlocksGrowth() async throws {
    try await InventoryFixture.with { fixture in
      let vm = try await add(fixture, limits: Limits([.vms: 2, .mem: 100], revision: 1), mem: 100).resource.id
      try await fixture.settle(.stopped)
      let store = QuotaStore(pool: fixture.pool)
      try await store.limit(fixture.ana.user, Limits([.vms: 0, .mem: 50], revision: 2))
      let asked = asking(fixture.ana, limits: Limits([.vms: 0, .mem: 50], revision: 2))
      #expect(
        await code { _ = try await fixture.vms.resize(vm, to: VMSize(mem: 101, vcpus: nil, disk: nil), asked) }
          == .quotaExceeded)
      _ = try await fixture.vms.resize(vm, to: VMSize(mem: 80, vcpus: nil, disk: nil), asked)
      try await fixture.settle(.stopped)
      _ = try await fixture.vms.ask(.start, of: vm, .use, asked)
      // What an earlier request brings does not replace it.
      #expect(await code { _ = try await add(fixture, limits: Limits([.vms: 2], revision: 1)) } == .quotaExceeded)
      #expect(await code { _ = try await add(fixture, limits: Limits([.vms: 2], revision: 3)) } == nil)
    }
  }

  @Test func whatOthersChangeCountsForItsOwner() async throws {
    try await InventoryFixture.with { fixture in
      let vm = try await add(fixture, limits: Limits([.mem: 100])).resource.id
      try await fixture.settle(.stopped)
      try await fixture.pool.execute(Permissions.grant(.owner, on: .vm(vm), to: fixture.eve.user))
      let eve = asking(fixture.eve, limits: Limits())
      do {
        _ = try await fixture.vms.resize(vm, to: VMSize(mem: 101, vcpus: nil, disk: nil), eve)
        Issue.record("not refused")
      } catch let error as ServiceError { #expect(error.message.hasPrefix("The owner's quota is")) }
      // What is saved is the image of who saves it.
      _ = try await SnapshotStore(pool: fixture.pool).insert(NewSnapshot(name: "s", desc: ""), of: vm, eve)
      let eves = try await QuotaStore(pool: fixture.pool).usage(of: fixture.eve.user).held
      #expect(eves[.images] == 1 && eves[.vms] == 0)
    }
  }

  @Test func whoComesNearALimitIsWarned() async throws {
    try await InventoryFixture.with { fixture in
      let limits = Limits([.vms: 5])
      for number in 1...5 {
        let warnings = try await add(fixture, limits: limits).warnings?.map(\.description)
        #expect(warnings == (number < 4 ? nil : ["vms=\(number)/5"]))
      }
    }
  }

  @Test func theSameRequestIsChargedOnce() async throws {
    try await InventoryFixture.with { fixture in
      let limits = Limits([.vms: 1])
      let first = try await add(fixture, limits: limits, key: "k").resource.id
      let second = try await add(fixture, limits: limits, key: "k").resource.id
      #expect(first == second)
      #expect(await code { _ = try await add(fixture, limits: limits, key: "l") } == .quotaExceeded)
    }
  }

  @Test func bytesCountWhileTheyComeAndStopAtTheLimit() async throws {
    try await InventoryFixture.with { fixture in
      // One byte is that of the fixture's own image.
      let limits = Limits([.imageBytes: 1001])
      var claims: [Claim] = []
      for name in ["a", "b"] {
        let image = try await add(image: name, fixture, limits: limits).resource.id
        claims.append(try await fixture.images.beginUpload(image, asking(fixture.ana)))
      }
      let (one, two) = (claims[0], claims[1])
      try await fixture.imports.charge(600, one)
      try await fixture.imports.charge(400, two)
      do {
        try await fixture.imports.charge(401, two)
        Issue.record("not refused")
      } catch let error as ServiceError {
        #expect(error.quota == QuotaRefusal(resource: .imageBytes, limit: 1001, used: 601, requested: 401))
      }
      // What is less than before is always taken.
      try await fixture.imports.charge(399, two)
      let held = try await usage(fixture)
      #expect(held[.imageBytes] == 1000)
      let file = ImportedFile(size: 700, virtualSize: 700, sha256: "bb")
      #expect(await code { try await fixture.imports.publish(file, of: one) { _ in } } == .quotaExceeded)
      try await fixture.imports.publish(ImportedFile(size: 500, virtualSize: 9, sha256: "bb"), of: one) { _ in }
      try await fixture.imports.fail(two, with: ServiceError(.corrupt, "x"))
      let after = try await usage(fixture)
      #expect(after[.imageBytes] == 501)
      try await fixture.images.delete(ImageID(one.resource.uuid), fixture.ana)
      let last = try await usage(fixture)
      #expect(last[.imageBytes] == 1 && last[.images] == 2)
    }
  }

  @Test func bytesOfManyImportsAtOnceStayWithinTheLimit() async throws {
    try await InventoryFixture.with { fixture in
      let limits = Limits([.imageBytes: 1 + 10])
      var claims: [Claim] = []
      for number in 0..<Self.many {
        let image = try await add(image: "i\(number)", fixture, limits: limits).resource.id
        claims.append(try await fixture.images.beginUpload(image, asking(fixture.ana)))
      }
      let all = claims
      let refused = try await refusals { try await fixture.imports.charge(1, all[$0]) }
      let held = try await usage(fixture)
      #expect(refused == Self.many - 10 && held[.imageBytes] == 11)
    }
  }

  /// A worker whose lease ran out counts nothing.
  @Test func whoLostTheClaimChargesNothing() async throws {
    try await InventoryFixture.with { fixture in
      let image = try await add(image: "a", fixture, limits: Limits()).resource.id
      let claim = try await fixture.images.beginUpload(image, asking(fixture.ana))
      try await fixture.images.delete(image, fixture.ana)
      await #expect(throws: ClaimLost.self) { try await fixture.imports.charge(5, claim) }
    }
  }
}
