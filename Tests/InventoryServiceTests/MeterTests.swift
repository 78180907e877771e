import Foundation
import Models
import Persistence
import Postgres
import Testing

@testable import InventoryService

/// What VMs use is charged to the month of their owner once, whatever happens to counters and reports.
@Suite(.timeLimit(.minutes(5))) struct MeterTests {
  /// A running VM of Ana's on the fixture's host, and what is told of it.
  struct Stage {
    let fixture: InventoryFixture
    let vm: VMID

    static func with(_ body: (Stage) async throws -> Void) async throws {
      try await InventoryFixture.with { fixture in
        let vm = try await fixture.add().resource.id
        try await fixture.settle(.running)
        let stage = Stage(fixture: fixture, vm: vm)
        // Where counting begins.
        try await stage.read(1, 0)
        try await body(stage)
      }
    }

    private static let start = Date(timeIntervalSince1970: 1_700_000_000)

    /// - Parameters:
    ///   - uptime: Seconds since the host's boot.
    ///   - used: Of processor time in seconds, and of each kind of byte.
    ///   - asked: Seconds after the first report; with the uptime where nil.
    func read(
      _ uptime: Int64, _ used: Int64?, run: String = "b.1.1", boot: String = "b", mem: Int64 = 360, asked: Int64? = nil,
      from host: HostID? = nil
    ) async throws {
      let meter = Meter(
        vm: vm, run: run, cpuMicroseconds: used.map { $0 * 1_000_000 }, mem: mem, diskReadBytes: used,
        diskWrittenBytes: used, netRxBytes: used, netTxBytes: used)
      try await MeterStore(pool: fixture.pool).store(
        Metering(bootID: boot, uptime: uptime * 1000, meters: [meter]), from: host ?? fixture.host,
        askedAt: Self.start.addingTimeInterval(Double(asked ?? uptime)))
    }

    func consumed(_ month: Month? = nil) async throws -> [QuotaResource: Int64] {
      try await QuotaStore(pool: fixture.pool).usage(of: fixture.ana.user, in: month).consumed
    }

    /// Expects so much processor time and as many of each kind of byte.
    func expect(_ used: Int64, sourceLocation: SourceLocation = #_sourceLocation) async throws {
      let consumed = try await consumed()
      let counters = QuotaResource.consumed.filter { $0 != .memMiBHours }
      #expect(counters.map { consumed[$0] } == counters.map { _ in used }, sourceLocation: sourceLocation)
    }
  }

  @Test func growthIsAddedOnce() async throws {
    try await Stage.with { stage in
      try await stage.read(100, 7)
      try await stage.expect(7)
      try await stage.read(110, 9)
      // The same reading in another report, and one that comes late.
      try await stage.read(110, 9, asked: 111)
      try await stage.read(105, 8, asked: 112)
      try await stage.read(115, 100, asked: 50)
      try await stage.expect(9)
      // What lost readings would have told is in the next one.
      try await stage.read(200, 30)
      try await stage.expect(30)
    }
  }

  @Test func countersThatBeginAnewAreAddedWhole() async throws {
    try await Stage.with { stage in
      try await stage.read(100, 50)
      try await stage.read(110, 20, run: "b.2.2")
      try await stage.expect(70)
      // Also where nothing but the number tells.
      try await stage.read(120, 5, run: "b.2.2")
      try await stage.expect(75)
      // The host was started again.
      try await stage.read(10, 4, run: "c.3.1", boot: "c", asked: 130)
      try await stage.expect(79)
      // A report of before that, which was on its way for long.
      try await stage.read(125, 500, run: "b.2.2", asked: 125)
      try await stage.expect(79)
    }
  }

  /// What ran before anybody counted was not used this month.
  @Test func countingBeginsWithTheFirstReadingOfAHost() async throws {
    try await InventoryFixture.with { fixture in
      let vm = try await fixture.add().resource.id
      try await fixture.settle(.running)
      let stage = Stage(fixture: fixture, vm: vm)
      try await stage.read(100_000, 5000)
      try await stage.expect(0)
      try await stage.read(100_010, 5003)
      try await stage.expect(3)
    }
  }

  @Test func whatIsNotKnownAtTheMomentIsNotLost() async throws {
    try await Stage.with { stage in
      try await stage.read(100, 50)
      try await stage.read(110, nil)
      try await stage.expect(50)
      try await stage.read(120, 60)
      try await stage.expect(60)
    }
  }

  @Test func memoryCountsForTheTimeThatTheGuestHasIt() async throws {
    try await Stage.with { stage in
      // 360 MiB for an hour are 360 MiB hours.
      try await stage.read(3601, 0)
      #expect(try await stage.consumed()[.memMiBHours] == 360)
      // Of a guest that was started since, the time since its start, and at most that since the reading before.
      try await stage.read(36_000, 0, run: "b.2.2")
      #expect(try await stage.consumed()[.memMiBHours] == 360)
      try await stage.fixture.pool.execute("UPDATE inventory.vms SET started_at = now() - interval '1 hour'")
      try await stage.read(36_010, 0, run: "b.3.3")
      #expect(try await stage.consumed()[.memMiBHours] == 361)
    }
  }

  @Test func aVMThatMovesCountsWhereItIs() async throws {
    try await Stage.with { stage in
      let other = try await stage.fixture.addHost("b:1")
      try await stage.read(100, 50)
      try await stage.read(100, 1000, from: other)
      try await stage.expect(50)
      try await stage.fixture.pool.execute("UPDATE inventory.vms SET host = \(other.uuid)")
      try await stage.read(200, 5, run: "x.2.1", boot: "x", from: other)
      try await stage.expect(55)
      try await stage.read(300, 99)
      try await stage.expect(55)
    }
  }

  @Test func aNewMonthBeginsAtNothingAndTheOldOneStays() async throws {
    try await Stage.with { stage in
      try await stage.read(100, 50)
      // As if that had been the month before.
      try await stage.fixture.pool.execute(
        "UPDATE inventory.consumption SET month = (month - interval '1 month')::date")
      try await stage.read(110, 53)
      try await stage.expect(3)
      let before = try await stage.fixture.pool.first(
        "SELECT to_char(now() AT TIME ZONE 'UTC' - interval '1 month', 'YYYY-MM') AS month"
      ) { try $0("month", as: String.self) }
      // The last of a long month has no such day in the month before; PostgreSQL then takes its last.
      let month = try #require(before.flatMap { Month($0) })
      #expect(try await stage.consumed(month)[.cpuSeconds] == 50)
      #expect(try await stage.consumed(Month("1999-12"))[.cpuSeconds] == 0)
    }
  }

  @Test func whatWasConsumedStaysWhenTheVMIsGone() async throws {
    try await Stage.with { stage in
      try await stage.read(100, 50)
      _ = try await stage.fixture.vms.delete(stage.vm, asking(stage.fixture.ana))
      let claim = try #require(try await stage.fixture.operations.claim())
      try await stage.fixture.intents.forget(stage.vm, claim)
      try await stage.expect(50)
      try await stage.read(110, 60)
      try await stage.expect(50)
      let everyone = try await QuotaStore(pool: stage.fixture.pool).usages(in: nil)
      #expect(everyone.map(\.user) == [stage.fixture.ana.user])
    }
  }

  @Test func whoHasUsedTheMonthUpStartsNothingAndWhatRunsRunsOn() async throws {
    try await Stage.with { stage in
      let (vms, ana) = (stage.fixture.vms, stage.fixture.ana)
      let limited = asking(ana, limits: Limits([.cpuSeconds: 50]))
      try await stage.read(100, 49)
      _ = try await vms.insert(stage.fixture.newVM(), VMDefaults(mem: 512, vcpus: 1), limited)
      try await stage.fixture.settle(.stopped)
      try await stage.read(110, 50)
      do {
        _ = try await vms.insert(stage.fixture.newVM(), VMDefaults(mem: 512, vcpus: 1), limited)
        Issue.record("not refused")
      } catch let error as ServiceError {
        let refusal = try #require(error.quota)
        #expect(refusal.resource == .cpuSeconds && refusal.limit == 50 && refusal.used == 50)
        let reset = try #require(refusal.resetsAt)
        let parts = Calendar.utc.dateComponents([.day, .hour, .minute, .second], from: reset)
        #expect(parts.day == 1 && parts.hour == 0 && parts.minute == 0 && parts.second == 0 && reset > .now)
        #expect(error.message.hasPrefix("Your quota of this month, 50 s of processor time, is used up"))
      }
      let running = try #require(try await vms.get(stage.vm, ana))
      #expect(running.state == .running)
      // What runs may be stopped, and is then not started.
      _ = try await vms.ask(.stop, of: stage.vm, .use, limited)
      try await stage.fixture.settle(.stopped)
      #expect(await code { _ = try await vms.ask(.start, of: stage.vm, .use, limited) } == .quotaExceeded)
      // An operator of it is held to the limit of its owner.
      try await stage.fixture.pool.execute(Permissions.grant(.operator, on: .vm(stage.vm), to: stage.fixture.eve.user))
      let eve = asking(stage.fixture.eve, limits: Limits())
      #expect(await code { _ = try await vms.ask(.start, of: stage.vm, .use, eve) } == .quotaExceeded)
      try await QuotaStore(pool: stage.fixture.pool).limit(ana.user, Limits([.cpuSeconds: 51], revision: 1))
      _ = try await vms.ask(.start, of: stage.vm, .use, eve)
    }
  }

  /// Two replicas that store the same reading at once.
  @Test func readingsThatComeAtOnceCountOnce() async throws {
    try await Stage.with { stage in
      try await stage.read(100, 10)
      try await withThrowingTaskGroup(of: Void.self) { group in
        for number in 0..<16 {
          group.addTask { try await stage.read(110, 15, asked: 110 + Int64(number)) }
        }
        try await group.waitForAll()
      }
      try await stage.expect(15)
    }
  }
}

extension Calendar {
  fileprivate static let utc: Calendar = {
    var calendar = Calendar(identifier: .gregorian)
    calendar.timeZone = .gmt
    return calendar
  }()
}
