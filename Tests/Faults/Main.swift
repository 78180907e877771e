import ArgumentParser
import Foundation

/// Strikes the installation that `run` has made ready.
@main
struct Faults: AsyncParsableCommand {
  @Option(help: "The folder that was made ready.") var lab: String
  @Option(help: "The repository.") var root: String
  @Option(help: "Of the random faults; 0 is a new one.") var seed: UInt64 = 0
  @Option(help: "How many random faults.") var faults = 1000
  @Option(help: "Minutes after which the random faults end.") var minutes = 30
  @Option(help: "Only the cases whose name holds this.") var only: String?
  @Option(name: .customLong("repeat"), help: "How often each case.") var times = 1
  @Flag(help: "A few cases and random faults.") var short = false

  func run() async throws {
    signal(SIGPIPE, SIG_IGN)
    Watchdog.start()
    let begun = ContinuousClock.now
    let lab = try await Lab.make(folder: lab, root: root)
    Report.line("ready", begun, "services, hosts and an image")
    let logs = LogMarks(lab: lab)
    let chosen = Catalogue.all.filter { (!short || $0.isShort) && (only.map($0.name.contains) ?? true) }
    var failures = await Runner(lab: lab, logs: logs).run(chosen, times: times)
    Report.say("\(chosen.count * max(times, 1)) cases, \(failures) failed")
    if only.map("random".contains) ?? true, faults > 0 {
      let random = RandomRun(
        lab: lab, logs: logs, seed: seed == 0 ? .random(in: 1 ... .max) : seed, faults: short ? 20 : faults,
        minutes: short ? 1 : minutes)
      if await !random.run() { failures += 1 }
    }
    guard failures == 0 else { throw ExitCode(1) }
  }
}

/// All cases there are.
enum Catalogue {
  static let all: [Case] =
    PlaceCases.all + StrikeCases.all + PartitionCases.all + HandCases.all + RoomCases.all + QuotaCases.all
    + MeterCases.all
}
