import Foundation
import Models

/// Clients do random things while random faults strike; after every batch all is mended and compared with what was
/// acknowledged.
struct RandomRun: Sendable {
  let lab: Lab
  let logs: LogMarks
  let seed: UInt64
  let faults: Int
  let minutes: Int

  private static let batch = 25
  private static let clients = 4
  /// Between two faults.
  private static let pace = 250...750

  /// - Returns: Whether all went well.
  func run() async -> Bool {
    Report.say("random faults: --seed \(seed) --faults \(faults)")
    let begun = ContinuousClock.now
    let marks = logs.now()
    let ledger = Ledger()
    do {
      try await strike(ledger, until: begun + .seconds(minutes * 60))
      Report.line("ok", begun, "\(await ledger.operations) requests under random faults")
      return true
    } catch {
      Report.line("FAILED", begun, "random faults of seed \(seed)")
      Report.say("      \(error)")
      logs.keep(since: marks, as: "random")
      return false
    }
  }

  private func strike(_ ledger: Ledger, until end: ContinuousClock.Instant) async throws {
    var random = SplitMix64(seed: seed)
    let gate = Gate()
    let striker = Striker(lab, random.split())
    try await withThrowingTaskGroup(of: Void.self) { group in
      for number in 0..<Self.clients {
        let own = random.split()
        group.addTask { try await RandomClient(number: number, lab: lab, ledger: ledger, gate: gate).run(own) }
      }
      let own = random.split()
      group.addTask {
        try await batches(own, ledger, gate, striker, until: end)
        throw CancellationError()
      }
      defer { group.cancelAll() }
      // Clients go on until all faults have struck.
      do { for try await _ in group {} } catch is CancellationError {}
    }
  }

  private func batches(
    _ seed: SplitMix64, _ ledger: Ledger, _ gate: Gate, _ striker: Striker, until end: ContinuousClock.Instant
  ) async throws {
    var random = seed
    var struck = 0
    while struck < faults, ContinuousClock.now < end {
      Watchdog.expect("random faults of seed \(self.seed)", within: 900)
      let begun = ContinuousClock.now
      let count = min(Self.batch, faults - struck)
      var list: [Fault] = []
      for _ in 0..<count { list.append(random.fault(in: lab)) }
      let pauses = list.map { _ in random.milliseconds(Self.pace) }
      try await withThrowingTaskGroup(of: Void.self) { group in
        group.addTask { try await striker.supervise() }
        for (fault, pause) in zip(list, pauses) {
          try await striker.strike(fault)
          try await Task.sleep(for: pause)
        }
        group.cancelAll()
        do { try await group.waitForAll() } catch is CancellationError {}
      }
      struck += count
      let problems = try await check(ledger, gate)
      Report.line(problems.isEmpty ? "ok" : "FAILED", begun, "\(struck) faults")
      guard problems.isEmpty else {
        let faults = list.map { "\($0)" }.joined(separator: "; ")
        for problem in problems + ["the batch: \(faults)"] { Report.say("      \(problem)") }
        throw Unexpected("\(problems.count) findings")
      }
      await gate.open()
    }
  }

  /// Mends everything, waits until nothing is under way, and compares.
  private func check(_ ledger: Ledger, _ gate: Gate) async throws -> [String] {
    // A cut that mends itself later must not do so in the next batch.
    try await Bounded.run(within: .seconds(120)) { try await lab.heal() }
    try await gate.close()
    try await lab.heal()
    try await lab.quiet()
    var problems = try await lab.fsck()
    let vms = try await lab.admin.get("/iaas/vms", [VM].self)
    let images = try await lab.admin.get("/iaas/images", [Models.Image].self)
    let guests = lab.machines.flatMap { $0.guests().keys }.reduce(into: [:]) { $0[$1, default: 0] += 1 }
    for operation in await ledger.slow(try await lab.admin.get("/iaas/operations")) {
      Report.say("       slow: \(operation)")
    }
    problems += await ledger.compare(vms: vms, images: images, guests: guests)
    for host in try await lab.admin.get("/iaas/hosts", [Models.Host].self) {
      problems += (host.quarantined ?? []).map { "VM \($0.id) was put aside on \(host.id), and no host was given up" }
    }
    return problems
  }
}
