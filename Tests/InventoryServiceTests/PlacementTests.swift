import Clients
import Foundation
import Models
import Persistence
import Testing

@testable import InventoryService

extension InventoryFixture {
  /// Adds a host beside the one that there is.
  func addHost(_ name: String, mem: Int = 5120, cpus: Int = 4, disk: Int = 100, arch: String = "x86_64") async throws
    -> HostID
  {
    var facts = Self.facts
    facts.mem = mem
    facts.cpus = cpus
    facts.disk = disk
    facts.arch = arch
    return try await hosts.insert(
      NewHost(addr: name, user: "agent", password: "", fingerprint: nil), PinnedCertificate(der: Data(name.utf8)),
      sealedSecret: Data([2]), facts, asking(admin)
    ).id
  }

  func add(_ request: NewVM, as caller: Caller? = nil) async throws -> VM {
    try await vms.insert(request, VMDefaults(mem: 512, vcpus: 1), asking(caller ?? ana)).resource
  }

  func newVM(mem: Int = 512, vcpus: Int = 1, disk: Int? = nil, group: String?) -> NewVM {
    NewVM(image: image, mem: mem, vcpus: vcpus, disk: disk, name: nil, sshKeys: [], group: group, start: false)
  }
}

func refusal(_ body: () async throws -> Void) async -> ServiceError? {
  do { try await body() } catch let error as ServiceError { return error } catch {}
  return nil
}

@Suite(.timeLimit(.minutes(5))) struct PlacementTests {
  @Test func vmsAreSpreadOverHosts() async throws {
    try await InventoryFixture.with { fixture in
      let others = [try await fixture.addHost("b:1"), try await fixture.addHost("c:1")]
      var found: [HostID: Int] = [:]
      for _ in 0..<9 { found[try #require(try await fixture.add().resource.host), default: 0] += 1 }
      #expect(found == [fixture.host: 3, others[0]: 3, others[1]: 3])
    }
  }

  @Test func whatWouldComeOfAVMIsToldAndNothingIsMade() async throws {
    try await InventoryFixture.with { fixture in
      let small = try await fixture.addHost("small:1", mem: 64)
      func explain(_ mem: Int, as caller: Caller) async throws -> PlacementAnswer {
        try await fixture.vms.explain(
          fixture.newVM(mem: mem, group: nil), VMDefaults(mem: 512, vcpus: 1), asking(caller))
      }
      let fits = try await explain(512, as: fixture.admin)
      #expect(fits.fits && fits.hosts?.count == 2)
      let verdicts = Dictionary(uniqueKeysWithValues: (fits.hosts ?? []).map { ($0.host, $0) })
      #expect(verdicts[fixture.host]?.isBest == true && verdicts[fixture.host]?.reason == nil)
      #expect(
        verdicts[small]?.reason == "has 64 MiB of memory free, 512 asked for." && verdicts[small]?.isBest == false)
      let none = try await explain(1 << 20, as: fixture.ana)
      #expect(!none.fits && none.hosts == nil && none.message.hasPrefix("No host that is up has room"))
      #expect(await refusal { _ = try await explain(512, as: fixture.eve) }?.code == .notFound)
      let held = try await QuotaStore(pool: fixture.pool).usage(of: fixture.ana.user).held
      #expect(held[.vms] == 0)
    }
  }

  @Test func membersOfAGroupAreOnDifferentHostsAlsoWhenTheyComeAtOnce() async throws {
    try await InventoryFixture.with { fixture in
      for name in ["b:1", "c:1"] { _ = try await fixture.addHost(name) }
      let outcomes = await withTaskGroup(of: HostID?.self) { group in
        for _ in 0..<16 { group.addTask { try? await fixture.add(fixture.newVM(group: "db")).host } }
        return await group.reduce(into: [HostID]()) { if let host = $1 { $0.append(host) } }
      }
      #expect(outcomes.count == 3 && Set(outcomes).count == 3)
      // Another person's group of the same name is another group.
      _ = try await fixture.add(fixture.newVM(group: "db"), as: fixture.admin)
      let error = await refusal { _ = try await fixture.add(fixture.newVM(group: "db")) }
      #expect(error?.code == .noCapacity && error?.message.contains("group 'db'") == true)
      #expect(error?.fields.isEmpty == true)
    }
  }

  @Test func administratorsAreToldWhyForEachHost() async throws {
    try await InventoryFixture.with { fixture in
      _ = try await fixture.addHost("small:1", mem: 256, cpus: 1, disk: 1)
      _ = try await fixture.addHost("arm:1", arch: "aarch64")
      let away = try await fixture.addHost("away:1")
      _ = try await fixture.hosts.update(
        away, HostUpdate(state: .maintenance, overcommit: nil), asking(fixture.admin))
      let error = await refusal {
        _ = try await fixture.add(fixture.newVM(mem: 6000, vcpus: 20, disk: 200, group: nil), as: fixture.admin)
      }
      #expect(error?.code == .noCapacity)
      let reasons = Dictionary(uniqueKeysWithValues: (error?.fields ?? []).map { ($0.field, $0.message) })
      #expect(reasons.count == 4)
      #expect(reasons["away:1"] == "is maintenance.")
      #expect(reasons["arm:1"] == "has the architecture aarch64, not x86_64.")
      #expect(
        reasons["small:1"]
          == "has 4 vCPUs free, 20 asked for; 256 MiB of memory free, 6000 asked for; 1 GiB of disk free, 200 asked for."
      )
    }
  }

  @Test func overcommitIsTheHostsOwn() async throws {
    try await InventoryFixture.with { fixture in
      #expect(await code { _ = try await fixture.add(fixture.newVM(mem: 6000, group: nil)) } == .noCapacity)
      let host = try await fixture.hosts.update(
        fixture.host, HostUpdate(state: nil, overcommit: Overcommit(cpus: 1, mem: 2, disk: 1)), asking(fixture.admin))
      #expect(host.memFree == 10240)
      _ = try await fixture.add(fixture.newVM(mem: 6000, vcpus: 4, group: nil))
      #expect(await code { _ = try await fixture.add(fixture.newVM(mem: 16, vcpus: 1, group: nil)) } == .noCapacity)
    }
  }

  @Test func resizingTakesAndGivesRoomAndNeverMoreThanThereIs() async throws {
    try await InventoryFixture.with { fixture in
      let vm = try await fixture.add().resource.id
      try await fixture.settle(.stopped)
      func resize(_ size: VMSize) async throws {
        _ = try await fixture.vms.resize(vm, to: size, asking(fixture.ana))
        try await fixture.settle(.stopped)
      }
      try await resize(VMSize(mem: 5120, vcpus: nil, disk: 4))
      #expect(await code { try await resize(VMSize(mem: 5121, vcpus: nil, disk: nil)) } == .noCapacity)
      #expect(await code { try await resize(VMSize(mem: nil, vcpus: nil, disk: 3)) } == .invalidField)
      try await resize(VMSize(mem: 64, vcpus: 2, disk: nil))
      let host = try await fixture.hosts.get(fixture.host, fixture.admin)
      #expect(host?.memAllocated == 64 && host?.cpusAllocated == 2 && host?.diskAllocated == 4)
      let resized = try await fixture.vms.get(vm, fixture.ana)
      #expect(resized?.mem == 64 && resized?.vcpus == 2 && resized?.disk == 4)
    }
  }
}
