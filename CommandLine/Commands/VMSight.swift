import ArgumentParser
import Foundation
import Models

struct CapVM: Verb {
  static let configuration = CommandConfiguration(
    commandName: "cap", abstract: "Say what a VM may use at most.",
    discussion: """
      What can be capped: cpuShare (percent of its vCPUs), diskBytesPerSecond, diskOperationsPerSecond, \
      netBytesPerSecond. Other caps of the VM stay as they are; none lifts one. It takes effect at once, and is for \
      administrators.

      Example: iaas vm cap web1 cpuShare=50 diskBytesPerSecond=20M netBytesPerSecond=none
      """)

  @OptionGroup var common: CommonOptions
  @OptionGroup var wait: WaitOptions

  @Argument(help: "Its id, the beginning of its id, or its name.")
  var vm: String

  @Argument(help: ArgumentHelp("A cap: a number, or none.", valueName: "resource=number"))
  var assignments: [String]

  func run(in context: CommandContext) async throws {
    let changes = try assignments.map { try CapAssignment($0) }
    let present = try await context.resolver.object(vm, of: VMView.self)
    var caps = present.caps ?? .none
    for change in changes { change.apply(to: &caps) }
    try await context.changeVM(.changing(present.id, .cap(caps)), to: nil, wait, output(context))
  }
}

struct ShowMetrics: Verb {
  static let configuration = CommandConfiguration(
    commandName: "metrics", abstract: "Show what a VM did over time.",
    discussion: """
      Kept in steps of 10 s for an hour, of a minute for a day, and of 10 minutes for a month.

      Example: iaas vm metrics web1 --since 6h
      """)

  @OptionGroup var common: CommonOptions

  @Argument(help: "Its id, the beginning of its id, or its name.")
  var vm: String

  @Option(help: ArgumentHelp("How far back, such as 30m, 6h or 7d.", valueName: "duration"))
  var since = "10m"

  @Option(help: ArgumentHelp("Seconds, a multiple of 10; else as fine as is kept for so long.", valueName: "seconds"))
  var step: Int?

  func run(in context: CommandContext) async throws {
    let now = Date.now
    // A duration is read as one from now on, which is as long.
    let seconds = Int(abs(try Expiry.parse(since, now: now).timeIntervalSince(now)))
    let id = try await context.resolver.id(vm, of: VMView.self)
    let query = [(name: "since", value: "\(seconds)")] + (step.map { [(name: "step", value: "\($0)")] } ?? [])
    let answer = try await context.client.send(.get("\(VMView.path(id))/metrics", query: query))
    let metrics: Fetched<MetricsView> = try context.client.decode(answer)
    try output(context).list(Fetched(value: metrics.value.samples, json: metrics.json))
    if metrics.value.samples.isEmpty { context.console.tell("Nothing was measured in that time: was the VM on?") }
  }
}

struct MetricsView: Decodable, Sendable {
  let samples: [SampleView]
}

/// What a VM did in a step.
struct SampleView: Decodable, Presentable {
  static let columns: [Column<Self>] = [
    Column("at") { $0.at }, Column("cpu") { "\($0.cpuPercent) %" },
    Column("memory used") { $0.memUsed.map(Units.mebibytes) }, Column("read") { rate($0.diskReadBytesPerSecond) },
    Column("written") { rate($0.diskWrittenBytesPerSecond) }, Column("received") { rate($0.netRxBytesPerSecond) },
    Column("sent") { rate($0.netTxBytesPerSecond) },
  ]

  let at: String
  let cpuPercent: Double
  let memUsed: Int?
  let diskReadBytesPerSecond: Int64
  let diskWrittenBytesPerSecond: Int64
  let netRxBytesPerSecond: Int64
  let netTxBytesPerSecond: Int64

  var shortName: String { at }

  private static func rate(_ bytes: Int64) -> String { "\(Units.bytes(bytes))/s" }
}

struct ShowQuotaEvents: Verb {
  static let configuration = CommandConfiguration(
    commandName: "events", abstract: "Show who came near to their limits.",
    discussion: """
      Four fifths of a limit, or all of it, were reached; the latest first. Without a person, those of everyone.

      Example: iaas user events ana@example.org
      """)

  @OptionGroup var common: CommonOptions

  @Argument(help: "Id, beginning of the id, or e-mail address of the person.")
  var user: String?

  func run(in context: CommandContext) async throws {
    let path =
      if let user { "\(UserView.path(try await context.resolver.id(user, of: UserView.self)))/events" } else {
        "/iaas/usage/events"
      }
    let answer = try await context.client.send(.get(path))
    let events: Fetched<[QuotaEventView]> = try context.client.decode(answer)
    try output(context).list(events)
  }
}

struct QuotaEventView: Decodable, Presentable {
  static let columns: [Column<Self>] = [
    Column("at") { $0.at }, Column("user") { $0.user }, Column("resource") { $0.resource },
    Column("reached") { "\($0.level) %" }, Column("used") { $0.amount($0.used) },
    Column("limit") { $0.amount($0.limit) },
  ]

  let id: String
  let at: String
  let user: String
  let resource: String
  let level: Int
  let used: Int64
  let limit: Int64

  var shortName: String { id }

  private func amount(_ number: Int64) -> String { QuotaResource(rawValue: resource)?.text(of: number) ?? "\(number)" }
}
