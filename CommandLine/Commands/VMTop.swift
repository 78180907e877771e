import ArgumentParser
import Foundation
import Models

struct TopVMs: Verb {
  static let configuration = CommandConfiguration(
    commandName: "top", abstract: "Show which running VMs use most.",
    discussion: """
      What they did in the last minute, those that use most processor time first. On a terminal it goes on until Ctrl-C.

      Example: iaas vm top --sort memory
      """)

  /// By what they are put in order.
  enum Order: String, ExpressibleByArgument, CaseIterable { case cpu, memory, disk, network }

  @OptionGroup var common: CommonOptions

  @Option(help: "What they are put in order by.")
  var sort = Order.cpu

  @Option(help: ArgumentHelp("So many at most.", valueName: "count"))
  var limit = 20

  @Option(
    help: ArgumentHelp("Show it so often and end; otherwise once, or on a terminal until Ctrl-C.", valueName: "count"))
  var times: Int?

  /// So many are asked about.
  private static let most = 500

  func validate() throws {
    guard limit > 0, times ?? 1 > 0 else { throw ValidationError("--limit and --times must be 1 or more.") }
  }

  func run(in context: CommandContext) async throws {
    let repeats = times ?? (context.console.printsToTerminal && common.format == .table ? .max : 1)
    for round in 1...repeats {
      if round > 1 { try await Task.sleep(for: .seconds(5)) }
      let rows = try await rows(context)
      // ECMA-48: the cursor home, and all erased.
      if repeats > 1, context.console.printsToTerminal { try context.console.write(Data("\u{1B}[H\u{1B}[2J".utf8)) }
      try output(context).list(made: rows)
    }
  }

  private func rows(_ context: CommandContext) async throws -> [TopRow] {
    let query = [(name: "query", value: "state = 'running'"), (name: "limit", value: "\(Self.most)")]
    let vms = try await context.client.get([VMView].self, VMView.collectionPath, query: query).value
    // A few questions at a time.
    var rows: [TopRow] = []
    for start in stride(from: 0, to: vms.count, by: 8) {
      rows += try await withThrowingTaskGroup(of: TopRow?.self) { group in
        for vm in vms[start..<min(start + 8, vms.count)] {
          group.addTask {
            let path = "\(VMView.path(vm.id))/metrics"
            let seconds = [(name: "since", value: "60"), (name: "step", value: "60")]
            // One that went away meanwhile is none of those that use most.
            let metrics = try? await context.client.get(MetricsView.self, path, query: seconds).value
            return metrics?.samples.last.map { TopRow(vm, $0) }
          }
        }
        return try await group.reduce(into: []) { rows, row in if let row { rows.append(row) } }
      }
    }
    return Array(rows.sorted { ($0.value(of: sort), $1.name) > ($1.value(of: sort), $0.name) }.prefix(limit))
  }
}

/// A VM, and what it does.
struct TopRow: Presentable, Encodable {
  static let columns: [Column<Self>] = [
    Column("vm") { $0.name }, Column("cpu") { "\($0.cpuPercent) %" }, Column("memory") { $0.memory },
    Column("read") { rate($0.diskReadBytesPerSecond) }, Column("written") { rate($0.diskWrittenBytesPerSecond) },
    Column("received") { rate($0.netRxBytesPerSecond) }, Column("sent") { rate($0.netTxBytesPerSecond) },
  ]

  let id: UUIDText
  let name: String
  let cpuPercent: Double
  let mem: Int?
  let memUsed: Int?
  let diskReadBytesPerSecond: Int64
  let diskWrittenBytesPerSecond: Int64
  let netRxBytesPerSecond: Int64
  let netTxBytesPerSecond: Int64

  init(_ vm: VMView, _ sample: SampleView) {
    id = vm.id
    name = vm.shortName
    cpuPercent = sample.cpuPercent
    mem = vm.mem
    memUsed = sample.memUsed
    diskReadBytesPerSecond = sample.diskReadBytesPerSecond
    diskWrittenBytesPerSecond = sample.diskWrittenBytesPerSecond
    netRxBytesPerSecond = sample.netRxBytesPerSecond
    netTxBytesPerSecond = sample.netTxBytesPerSecond
  }

  var shortName: String { name }

  private var memory: String? {
    memUsed.map { used in mem.map { "\(Units.mebibytes(used)) of \(Units.mebibytes($0))" } ?? Units.mebibytes(used) }
  }

  private static func rate(_ bytes: Int64) -> String { "\(Units.bytes(bytes))/s" }

  func value(of order: TopVMs.Order) -> Double {
    switch order {
    case .cpu: cpuPercent
    case .memory: Double(memUsed ?? 0)
    case .disk: Double(diskReadBytesPerSecond) + Double(diskWrittenBytesPerSecond)
    case .network: Double(netRxBytesPerSecond) + Double(netTxBytesPerSecond)
    }
  }
}
