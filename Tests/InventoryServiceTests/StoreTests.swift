import Clients
import Crypto
import Foundation
import Models
import Persistence
import Postgres
import ServiceKit
import TestSupport
import Testing

@testable import InventoryService

/// An inventory's database with one host and one image.
struct InventoryFixture: Sendable {
  let pool: PostgresPool
  let host: HostID
  let image: ImageID
  let admin = Caller(user: .make(), admin: true)
  let ana = Caller(user: .make(), admin: false)
  let eve = Caller(user: .make(), admin: false)

  var vms: VMStore { VMStore(pool: pool) }
  var images: ImageStore { ImageStore(pool: pool) }
  var imports: ImageImportStore { ImageImportStore(pool: pool) }
  var shares: ShareStore { ShareStore(pool: pool) }
  var hosts: HostStore { HostStore(pool: pool) }
  var operations: OperationStore { OperationStore(pool: pool) }
  var intents: VMIntentStore { VMIntentStore(pool: pool) }
  /// The way to agents, of which there are none.
  var agents: Hosts {
    Hosts(
      store: hosts, agents: AgentClients(), seal: SealBox(key: SymmetricKey(size: .bits256), purpose: "test"))
  }
  var reports: ReportStore { ReportStore(pool: pool) }

  static let facts = HostFacts(
    hostname: "h", hypervisor: "QEMU", virtualisation: .emulated, arch: "x86_64", cpus: 4, mem: 5120, disk: 100,
    bootID: "b")

  static func with(_ body: (InventoryFixture) async throws -> Void) async throws {
    try await TestDatabase.with(inventoryMigrator) { pool, _ in
      let host = try await HostStore(pool: pool).insert(
        NewHost(addr: "127.0.0.1:1", user: "agent", password: "", fingerprint: nil), PinnedCertificate(der: Data([1])),
        sealedSecret: Data([2]), facts, asking(Caller(user: .make(), admin: true)))
      let fixture = InventoryFixture(pool: pool, host: host.id, image: .make())
      try await pool.execute(
        """
        INSERT INTO inventory.images (id, owner, name, description, url, state, size, virtual_size, sha256)
        VALUES (\(fixture.image.uuid), \(fixture.ana.user.uuid), 'i', '', 'http://x/', 'available', 1, 1, 'aa')
        """)
      try await pool.execute(Permissions.grant(.owner, on: .image(fixture.image), to: fixture.ana.user))
      try await body(fixture)
    }
  }

  func newVM(mem: Int = 512, start: Bool = false) -> NewVM {
    NewVM(image: image, mem: mem, vcpus: 1, disk: nil, name: nil, sshKeys: [], start: start)
  }

  func add(mem: Int = 512, as caller: Caller? = nil) async throws -> Accepted<VM> {
    try await vms.insert(newVM(mem: mem), VMDefaults(mem: 512, vcpus: 1), asking(caller ?? ana))
  }

  /// Carries the VM's operation out as if the agent had answered.
  func settle(_ power: ObservedPower) async throws {
    let claim = try #require(try await operations.claim())
    try await intents.settle(
      claim, VMReport(id: VMID(claim.resource.uuid), generation: 1, power: power, addresses: []))
  }
}

/// Someone who asks, under a key or not.
func asking(_ caller: Caller, key: String? = nil, limits: Limits? = nil) -> RequestOrigin {
  RequestOrigin(caller: caller, requestID: "r", idempotencyKey: key, limits: limits)
}

extension VMReport {
  init(id: VMID, generation: Int64, power: ObservedPower, addresses: [VMAddress]) {
    self.init(id: id, owner: .make(), generation: generation, power: power, bootID: "b", addresses: addresses)
  }
}

func code(_ body: () async throws -> Void) async -> ErrorCode? {
  do { try await body() } catch let error as ServiceError { return error.code } catch {}
  return nil
}

@Suite(.timeLimit(.minutes(5))) struct VMStoreTests {
  @Test func aVMIsWrittenWithAllThatBelongsToIt() async throws {
    try await InventoryFixture.with { fixture in
      let accepted = try await fixture.add()
      #expect(accepted.resource.state == .creating)
      #expect(accepted.resource.host == fixture.host)
      #expect(accepted.operation?.kind == .vmCreate && accepted.operation?.status == .pending)
      let host = try #require(try await fixture.hosts.get(fixture.host, fixture.admin))
      #expect(host.memAllocated == 512 && host.cpusAllocated == 1 && host.diskAllocated == 1)
    }
  }

  @Test func hiddenIsLikeAbsent() async throws {
    try await InventoryFixture.with { fixture in
      let vm = try await fixture.add().resource.id
      #expect(try await fixture.vms.get(vm, fixture.ana) != nil)
      #expect(try await fixture.vms.get(vm, fixture.admin) != nil)
      #expect(try await fixture.vms.get(vm, fixture.eve) == nil)
      #expect(try await fixture.vms.listing(fixture.eve).page(ListRequest()).items.isEmpty)
      #expect(try await fixture.images.listing(fixture.eve).page(ListRequest()).items.isEmpty)
      #expect(await code { _ = try await fixture.vms.delete(vm, asking(fixture.eve)) } == .notFound)
      #expect(
        await code { _ = try await fixture.vms.ask(.start, of: vm, .use, asking(fixture.eve)) } == .notFound)
      #expect(await code { _ = try await fixture.add(as: fixture.eve) } == .notFound)
      #expect(await code { try await fixture.images.delete(fixture.image, fixture.eve) } == .notFound)
    }
  }

  @Test func aViewerIsToldWhichRoleIsMissing() async throws {
    try await InventoryFixture.with { fixture in
      let vm = try await fixture.add().resource.id
      try await fixture.pool.execute(Permissions.grant(.viewer, on: .vm(vm), to: fixture.eve.user))
      #expect(try await fixture.vms.get(vm, fixture.eve) != nil)
      #expect(
        await code { _ = try await fixture.vms.ask(.start, of: vm, .use, asking(fixture.eve)) } == .forbidden)
      #expect(await code { _ = try await fixture.vms.delete(vm, asking(fixture.eve)) } == .forbidden)
    }
  }

  @Test func sixtyFourAtOnceNeverExceedAHost() async throws {
    try await InventoryFixture.with { fixture in
      let outcomes = await withTaskGroup(of: ErrorCode?.self) { group in
        for _ in 0..<64 { group.addTask { await code { _ = try await fixture.add(mem: 512) } } }
        return await group.reduce(into: [ErrorCode?]()) { $0.append($1) }
      }
      #expect(outcomes.filter { $0 == nil }.count == 10)
      #expect(outcomes.filter { $0 == .noCapacity }.count == 54)
      let host = try await fixture.hosts.get(fixture.host, fixture.admin)
      #expect(host?.memAllocated == 5120)
    }
  }

  @Test func startAndStopFollowTheState() async throws {
    try await InventoryFixture.with { fixture in
      let vm = try await fixture.add().resource.id
      func power(_ power: VMRequest) async throws -> Accepted<VM> {
        try await fixture.vms.ask(power, of: vm, .use, asking(fixture.ana))
      }
      #expect(await code { _ = try await power(.start) } == .invalidState)
      try await fixture.settle(.stopped)
      #expect(try await power(.stop).operation == nil)
      let start = try await power(.start)
      #expect(start.resource.state == .starting && start.operation?.kind == .vmStart)
      #expect(try await power(.start).operation?.id == start.operation?.id)
      #expect(await code { _ = try await power(.stop) } == .invalidState)
      try await fixture.settle(.running)
      #expect(try await fixture.vms.get(vm, fixture.ana)?.state == .running)
      #expect(try await fixture.vms.get(vm, fixture.ana)?.startedAt != nil)
    }
  }

  @Test func removalOverridesWhatIsUnderWayAndGivesTheRoomBack() async throws {
    try await InventoryFixture.with { fixture in
      let created = try await fixture.add()
      let claim = try #require(try await fixture.operations.claim())
      let removal = try await fixture.vms.delete(created.resource.id, asking(fixture.ana))
      #expect(removal.resource.state == .deleting)
      #expect(
        try await fixture.vms.delete(created.resource.id, asking(fixture.ana)).operation?.id
          == removal.operation?.id)
      await #expect(throws: ClaimLost.self) {
        try await fixture.intents.settle(
          claim, VMReport(id: created.resource.id, generation: 1, power: .stopped, addresses: []))
      }
      let first = try #require(created.operation)
      #expect(try await fixture.operations.get(first.id, fixture.ana)?.status == .cancelled)
      let next = try #require(try await fixture.operations.claim())
      try await fixture.intents.forget(created.resource.id, next)
      #expect(try await fixture.vms.get(created.resource.id, fixture.admin) == nil)
      #expect(try await fixture.hosts.get(fixture.host, fixture.admin)?.memAllocated == 0)
    }
  }

  @Test func anImageInUseLeavesTheCatalogueAndKeepsItsFile() async throws {
    try await InventoryFixture.with { fixture in
      let vm = try await fixture.add().resource.id
      try await fixture.images.delete(fixture.image, fixture.ana)
      #expect(try await fixture.images.get(fixture.image, fixture.admin) == nil)
      #expect(try await fixture.imports.disposable().isEmpty)
      #expect(await code { try await fixture.images.delete(fixture.image, fixture.ana) } == .notFound)
      _ = try await fixture.vms.delete(vm, asking(fixture.ana))
      try await fixture.intents.forget(vm, try #require(try await fixture.operations.claim()))
      #expect(try await fixture.imports.disposable() == [fixture.image])
    }
  }

  @Test func aHostWithVMsStays() async throws {
    try await InventoryFixture.with { fixture in
      _ = try await fixture.add()
      #expect(await code { try await fixture.hosts.delete(fixture.host) } == .conflict)
      #expect(await code { try await fixture.hosts.delete(.make()) } == .notFound)
    }
  }

  @Test func theListOfMigrationsIsTheFolder() throws {
    let folder = TestEnvironment.root.appendingPathComponent("Services/inventory-service/Migrations").path
    let files = try FileManager.default.contentsOfDirectory(atPath: folder).sorted()
    #expect(files == inventoryMigrator.migrations.map { "\($0.name).sql" })
  }
}

@Suite(.timeLimit(.minutes(5))) struct OperationStoreTests {
  @Test func anOperationHasOneHolderAtATime() async throws {
    try await InventoryFixture.with { fixture in
      _ = try await fixture.add()
      let claims = try await withThrowingTaskGroup(of: Claim?.self) { group in
        for _ in 0..<16 { group.addTask { try await fixture.operations.claim() } }
        return try await group.reduce(into: [Claim]()) { if let claim = $1 { $0.append(claim) } }
      }
      #expect(claims.count == 1)
    }
  }

  @Test func imagesDoNotKeepVMsWaiting() async throws {
    try await InventoryFixture.with { fixture in
      let record = ImageRecord(
        name: "i", desc: "", url: "http://x/", sha256: nil, checksums: nil, arch: Architecture.standard)
      _ = try await fixture.images.insert(record, NewImage(url: "http://x/", name: "i", desc: ""), asking(fixture.ana))
      let vm = try await fixture.add().operation
      #expect(try await fixture.operations.claim(.others)?.id == vm?.id)
      #expect(try await fixture.operations.claim(.others)?.id == nil)
      #expect(try await fixture.operations.claim(.images)?.kind == .imageImport)
    }
  }

  @Test func theGuestsTimeBeginsWhenItIsAsked() async throws {
    try await InventoryFixture.with { fixture in
      _ = try await fixture.add()
      try await fixture.pool.execute("UPDATE inventory.operations SET created_at = now() - interval '1 hour'")
      let first = try #require(try await fixture.operations.claim())
      #expect(first.age > 3000 && first.patience == 0)
      try await fixture.operations.postpone(first, seconds: 0, step: nil, isAsking: true)
      try await fixture.pool.execute("UPDATE inventory.operations SET asked_at = asked_at - interval '1 minute'")
      let second = try #require(try await fixture.operations.claim())
      #expect(second.patience > 50)
      try await fixture.operations.postpone(second, seconds: 0, step: nil, isAsking: true)
      #expect(try await fixture.operations.claim()?.patience ?? 0 > 50)
    }
  }

  @Test func aLeaseThatRanOutIsTakenAndTheOldHolderRefused() async throws {
    try await InventoryFixture.with { fixture in
      let vm = try await fixture.add().resource.id
      let old = try #require(try await fixture.operations.claim())
      try await fixture.pool.execute("UPDATE inventory.operations SET due_at = now() - interval '1 second'")
      let new = try #require(try await fixture.operations.claim())
      #expect(new.epoch == old.epoch + 1 && new.attempt == 2)
      #expect(try await fixture.operations.renew(old, step: nil, progress: nil) == false)
      let report = VMReport(id: vm, generation: 1, power: .stopped, addresses: [])
      await #expect(throws: ClaimLost.self) { try await fixture.intents.settle(old, report) }
      try await fixture.operations.postpone(old, seconds: -10, step: "late")
      #expect(try await fixture.operations.claim() == nil)
      try await fixture.intents.settle(new, report)
      #expect(try await fixture.vms.get(vm, fixture.ana)?.state == .stopped)
    }
  }
}

@Suite(.timeLimit(.minutes(5))) struct ReportTests {
  private func report(_ vms: [VMReport]) -> HostReport { HostReport(facts: InventoryFixture.facts, vms: vms) }

  @Test func reportsMoveTheStateUnlessSomethingIsUnderWayOrNewer() async throws {
    try await InventoryFixture.with { fixture in
      let vm = try await fixture.add().resource.id
      let seen = [VMReport(id: vm, generation: 1, power: .running, addresses: [VMAddress(ip: "10.0.0.2", mac: "m")])]
      let later = Date().addingTimeInterval(60)
      _ = try await fixture.reports.store(report(seen), from: fixture.host, askedAt: later)
      #expect(try await fixture.vms.get(vm, fixture.ana)?.state == .creating)
      try await fixture.settle(.stopped)
      _ = try await fixture.reports.store(report(seen), from: fixture.host, askedAt: Date().addingTimeInterval(-60))
      #expect(try await fixture.vms.get(vm, fixture.ana)?.state == .stopped)
      _ = try await fixture.reports.store(report(seen), from: fixture.host, askedAt: later)
      let running = try await fixture.vms.get(vm, fixture.ana)
      #expect(running?.state == .running && running?.addresses.first?.ip == "10.0.0.2")
      _ = try await fixture.reports.store(report([]), from: fixture.host, askedAt: later)
      #expect(try await fixture.vms.get(vm, fixture.ana)?.state == .error)
    }
  }

  @Test func aFailureKeepsItsReason() async throws {
    try await InventoryFixture.with { fixture in
      let vm = try await fixture.add().resource.id
      let claim = try #require(try await fixture.operations.claim())
      try await fixture.intents.fail(claim, with: ServiceError(.noSpace, "The host's disk is full."))
      _ = try await fixture.reports.store(report([]), from: fixture.host, askedAt: Date().addingTimeInterval(60))
      let failed = try await fixture.vms.get(vm, fixture.ana)
      #expect(failed?.state == .error && failed?.reason == "The host's disk is full.")
      let operation = try await fixture.operations.get(claim.id, fixture.ana)
      #expect(operation?.status == .failed && operation?.error?.code == "no_space")
    }
  }

  @Test func aSilentHostMakesItsVMsUnknownAndComesBack() async throws {
    try await InventoryFixture.with { fixture in
      let vm = try await fixture.add().resource.id
      try await fixture.settle(.running)
      try await fixture.reports.noteSilence(of: fixture.host)
      #expect(try await fixture.vms.get(vm, fixture.ana)?.state == .running)
      try await fixture.pool.execute("UPDATE inventory.hosts SET last_report_at = now() - interval '1 minute'")
      try await fixture.reports.noteSilence(of: fixture.host)
      #expect(try await fixture.vms.get(vm, fixture.ana)?.state == .unknown)
      #expect(try await fixture.hosts.get(fixture.host, fixture.admin)?.state == .unreachable)
      #expect(await code { _ = try await fixture.add() } == .noCapacity)
      let seen = [VMReport(id: vm, generation: 1, power: .running, addresses: [])]
      _ = try await fixture.reports.store(report(seen), from: fixture.host, askedAt: Date().addingTimeInterval(60))
      #expect(try await fixture.vms.get(vm, fixture.ana)?.state == .running)
      #expect(try await fixture.hosts.get(fixture.host, fixture.admin)?.state == .up)
    }
  }

  @Test func othersSeeOnlyTheRoomOfAHost() async throws {
    try await InventoryFixture.with { fixture in
      let host = try #require(try await fixture.hosts.listing(fixture.ana).page(ListRequest()).items.first)
      #expect(
        host.memFree == 5120 && host.addr == nil && host.fingerprint == nil && host.user == nil && host.cpus == nil)
    }
  }
}
