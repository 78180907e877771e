import Foundation
import Models
import Persistence
import Postgres
import ServiceKit
import Testing

@testable import InventoryService

/// What guests did is shown in steps that are coarser the longer ago it was, and nothing of it is counted twice.
@Suite(.timeLimit(.minutes(5))) struct SampleTests {
  private typealias Stage = MeterTests.Stage

  private func samples(_ stage: Stage, hours: Double = 1, step: Int = 10) async throws -> [VMSample] {
    try await SampleStore(pool: stage.fixture.pool).samples(
      of: stage.vm, since: Date(timeIntervalSinceNow: -3600 * hours), step: step)
  }

  @Test func aReadingIsASample() async throws {
    try await Stage.with { stage in
      try await stage.fixture.pool.execute("UPDATE inventory.vms SET vcpus = 2")
      try await stage.read(11, 5)
      let found = try await samples(stage)
      let sample = try #require(found.first)
      #expect(found.count == 1 && sample.seconds == 10 && sample.cpuPercent == 25 && sample.mem == 360)
      // In whole bytes a second.
      #expect(sample.diskReadBytesPerSecond == 1 && sample.netTxBytesPerSecond == 1)
      // The same in a coarse step, before there are samples of it.
      let coarse = try await samples(stage, step: 60)
      #expect(coarse.map(\.cpuPercent) == [25] && coarse[0].at <= sample.at)
    }
  }

  @Test func samplesAreThinnedAndDroppedWithTheirPartitions() async throws {
    try await Stage.with { stage in
      let (pool, store) = (stage.fixture.pool, SampleStore(pool: stage.fixture.pool))
      // Twenty minutes of three hours ago, in which all is 100 in ten seconds, and the guest uses 50 MiB.
      try await pool.execute(
        "UPDATE inventory.sample_steps SET until = date_bin('1 hour', now(), 'epoch') - interval '3 hours'")
      try await pool.execute("SELECT inventory.make_sample_partitions()")
      // As it was made then.
      try await pool.withConnection { connection in
        try connection.executeScript(
          """
          DO $$ DECLARE start timestamptz := date_bin('1 hour', now(), 'epoch') - interval '3 hours'; BEGIN
            EXECUTE format('CREATE TABLE inventory.samples_10_%s PARTITION OF inventory.samples_10 FOR VALUES FROM (%L) TO (%L)',
              extract(epoch FROM start)::bigint, start, start + interval '1 hour');
          END $$
          """)
      }
      try await pool.execute(
        """
        INSERT INTO inventory.samples
        SELECT 10, \(stage.vm.uuid), t, 10000, 1, 360, 50, 5000000, 1000, 1000, 1000, 1000
        FROM generate_series(date_bin('1 hour', now(), 'epoch') - interval '3 hours',
          date_bin('1 hour', now(), 'epoch') - interval '2 hours 40 minutes 10 seconds', interval '10 seconds') AS t
        """)
      #expect(try await samples(stage, hours: 5).count == 120)
      let before = try await partitions(pool)
      for round in 1...2 {
        try await store.keep()
        for (step, count) in [(60, 20), (600, 2), (1200, 1)] {
          let found = try await samples(stage, hours: 5, step: step)
          #expect(found.count == count, "\(step) in round \(round)")
          for sample in found {
            #expect(sample.seconds == Double(step) && sample.cpuPercent == 50 && sample.memUsed == 50, "\(step)")
            #expect(sample.diskWrittenBytesPerSecond == 100 && sample.netRxBytesPerSecond == 100, "\(step)")
          }
        }
      }
      // Fine ones of so long ago are gone, with the table that they were in.
      #expect(try await samples(stage, hours: 5).isEmpty)
      #expect(try await partitions(pool).subtracting(before).isEmpty)
      #expect(try await before.subtracting(partitions(pool)).filter { $0.hasPrefix("samples_10_") }.count == 1)
    }
  }

  private func partitions(_ pool: PostgresPool) async throws -> Set<String> {
    Set(
      try await pool.rows(
        "SELECT relname::text AS name FROM pg_class WHERE relispartition AND relkind = 'r' AND relname LIKE 'samples%'"
      ) { try $0("name", as: String.self) })
  }

  /// Replicas that do it at once do not stand in each other's way.
  @Test func oneOfSeveralKeepsThem() async throws {
    try await InventoryFixture.with { fixture in
      let store = SampleStore(pool: fixture.pool)
      try await withThrowingTaskGroup(of: Void.self) { group in
        for _ in 1...8 { group.addTask { try await store.keep() } }
        try await group.waitForAll()
      }
    }
  }

  /// What people are charged does not wait for a table.
  @Test func withoutAPartitionWhatIsConsumedIsCountedAllTheSame() async throws {
    try await Stage.with { stage in
      let pool = stage.fixture.pool
      for name in try await partitions(pool) where name.hasPrefix("samples_10_") {
        try await pool.withConnection { try $0.executeScript("DROP TABLE inventory.\(name)") }
      }
      try await stage.read(100, 7)
      try await stage.expect(7)
      #expect(try await samples(stage).isEmpty)
      try await SampleStore(pool: pool).keep()
      try await stage.read(110, 9)
      #expect(try await samples(stage).count == 1)
    }
  }

  @Test func aGuestThatUsesAllItCanIsBusyUntilItDoesNot() async throws {
    try await Stage.with { stage in
      func since() async throws -> Date? { try await stage.fixture.vms.get(stage.vm, stage.fixture.ana)?.busySince }
      try await stage.read(11, 5)
      #expect(try await since() == nil)
      try await stage.read(21, 15)
      let first = try #require(try await since())
      // It began with the time that was read.
      #expect(abs(first.timeIntervalSinceNow + 10) < 5)
      try await stage.read(31, 24)
      #expect(try await since() == first)
      // What is not known changes nothing.
      try await stage.read(41, nil)
      #expect(try await since() == first)
      try await stage.read(51, 25)
      #expect(try await since() == nil)
      // Half a processor is all that it can use.
      _ = try await stage.fixture.vms.cap(stage.vm, Caps(cpuShare: 50), asking(stage.fixture.admin))
      try await stage.read(61, 30)
      #expect(try await since() != nil)
      let busy = try await stage.fixture.vms.listing(stage.fixture.admin).page(
        ListRequest(query: "busySince IS NOT NULL"))
      #expect(busy.items.map(\.id) == [stage.vm])
      // One that is off is not busy.
      try await MeterStore(pool: stage.fixture.pool).store(
        Metering(bootID: "b", uptime: 71_000, meters: []), from: stage.fixture.host, askedAt: .now)
      #expect(try await since() == nil)
    }
  }

  @Test func whoComesNearALimitIsTold() async throws {
    try await Stage.with { stage in
      let quotas = QuotaStore(pool: stage.fixture.pool)
      let (ana, eve) = (stage.fixture.ana.user, stage.fixture.eve.user)
      try await quotas.limit(ana, Limits([.cpuSeconds: 100, .netTxBytes: 1_000_000], revision: 1))
      func events() async throws -> [String] {
        try await quotas.events(of: ana, limit: 100).reversed().map {
          "\($0.resource) \($0.level) \($0.used)/\($0.limit)"
        }
      }
      try await stage.read(100, 79)
      #expect(try await events() == [])
      try await stage.read(200, 80)
      try await stage.read(300, 99)
      #expect(try await events() == ["cpuSeconds 80 80/100"])
      try await stage.read(400, 250)
      try await stage.read(500, 300)
      #expect(try await events() == ["cpuSeconds 80 80/100", "cpuSeconds 100 250/100"])
      // What is held tells when it is taken, and again when it is taken anew.
      let limits = Limits([.vms: 5], revision: 2)
      for _ in 1...3 {
        _ = try await stage.fixture.vms.insert(
          stage.fixture.newVM(mem: 64), VMDefaults(mem: 64, vcpus: 1), asking(stage.fixture.ana, limits: limits))
      }
      #expect(try await events().last == "vms 80 4/5")
      let everyone = try await quotas.events(of: nil, limit: 2)
      #expect(everyone.map(\.resource) == [.vms, .cpuSeconds])
      #expect(try await quotas.events(of: eve, limit: 100).isEmpty)
    }
  }

  @Test func capsComeFromTheOwnersLimitsAndFromAdministrators() async throws {
    try await InventoryFixture.with { fixture in
      let caps = Caps(cpuShare: 50, diskOperationsPerSecond: 100)
      let accepted = try await fixture.vms.insert(
        fixture.newVM(), VMDefaults(mem: 64, vcpus: 1), asking(fixture.ana, limits: Limits(caps: caps)))
      let id = accepted.resource.id
      #expect(accepted.resource.caps == caps)
      #expect(try await fixture.intents.intent(id)?.spec.caps == caps)
      try await fixture.settle(.stopped)
      #expect(
        await code { _ = try await fixture.vms.cap(id, .none, asking(fixture.ana)) } == .forbidden)
      // What is off has nothing to be told.
      let lifted = try await fixture.vms.cap(id, .none, asking(fixture.admin))
      #expect(lifted.operation == nil && lifted.resource.caps == nil)
      _ = try await fixture.vms.ask(.start, of: id, .use, asking(fixture.ana))
      try await fixture.settle(.running)
      let capped = try await fixture.vms.cap(id, caps, asking(fixture.admin))
      #expect(capped.operation?.kind == .vmCap && capped.resource.caps == caps && capped.resource.state == .running)
    }
  }

  @Test func whatIsAskedForIsChecked() async throws {
    try await InventoryFixture.with { fixture in
      let vm = try await fixture.add().resource.id
      let vms = VMs(
        store: fixture.vms, snapshots: SnapshotStore(pool: fixture.pool), samples: SampleStore(pool: fixture.pool),
        hosts: fixture.agents,
        signal: OperationSignal(connection: PostgresConnection(conninfo: ""), logger: .init(label: "t")),
        defaults: VMDefaults(mem: 64, vcpus: 1))
      for (since, step) in [("60", 10), ("7200", 60), ("90000", 600)] {
        let metrics = try await vms.metrics(vm, since: since, step: nil, fixture.ana)
        #expect(metrics.step == step && metrics.samples.isEmpty)
      }
      let recent = Date.now.addingTimeInterval(-100).formatted(.iso8601)
      #expect(try await vms.metrics(vm, since: recent, step: "20", fixture.ana).step == 20)
      for (since, step) in [
        ("yesterday", "10"), ("-5", "10"), ("nan", "10"), ("9999999", "10"), ("60", "7"), ("60", "0"), ("60", "x"),
        ("2999-01-01T00:00:00Z", "10"),
      ] {
        #expect(
          await code { _ = try await vms.metrics(vm, since: since, step: step, fixture.ana) } == .invalidField,
          "\(since) \(step)")
      }
      #expect(await code { _ = try await vms.metrics(vm, since: nil, step: nil, fixture.eve) } == .notFound)
    }
  }
}
