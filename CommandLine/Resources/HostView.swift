import Models

/// A hypervisor host.
struct HostView: Resource {
  static let noun = "host"
  static let collection = "hosts"
  static let handleField: String? = "addr"
  static let exampleQuery = "state = 'up'"
  static var columns: [Column<Self>] {
    [Column("id") { "\($0.id)" }, Column("addr") { $0.addr }, Column("state") { $0.state }] + capacity
  }
  static var fields: [Column<Self>] { identity + capacity + rest }

  private static let capacity: [Column<Self>] = [
    Column("arch") { $0.arch }, Column("cpus") { share($0.cpusAllocated, of: $0.cpus) { "\($0)" } },
    Column("mem") { share($0.memAllocated, of: $0.mem, Units.mebibytes) },
    Column("disk") { share($0.diskAllocated, of: $0.disk, Units.gibibytes) },
    Column("mem free") { $0.memFree.map(Units.mebibytes) }, Column("disk free") { $0.diskFree.map(Units.gibibytes) },
  ]

  private static let identity: [Column<Self>] = [
    Column("id") { "\($0.id)" }, Column("addr") { $0.addr }, Column("hostname") { $0.hostname },
    Column("state") { host in host.reason.map { "\(host.state): \($0)" } ?? host.state },
    Column("last report") { $0.lastReportAt.map { Age.dated($0) } },
  ]

  private static let rest: [Column<Self>] = [
    Column("overcommit") { $0.overcommit.map { "cpus \($0.cpus), mem \($0.mem), disk \($0.disk)" } },
    Column("cpu model") { $0.cpuModel }, Column("hypervisor") { $0.hypervisor },
    Column("virtualisation") { $0.virtualisation }, Column("agent") { $0.agentVersion },
    Column("user") { $0.user }, Column("fingerprint") { $0.fingerprint }, Column("created") { $0.createdAt },
    Column("quarantined", lines: { ($0.quarantined ?? []).map(\.line) }),
  ]

  var id: UUIDText
  var addr: String?
  var user: String?
  var state: String
  var reason: String?
  var hostname: String?
  var hypervisor: String?
  var virtualisation: String?
  var cpuModel: String?
  var agentVersion: String?
  var arch: String?
  var cpus: Int?
  var cpusAllocated: Int?
  var mem: Int?
  var memAllocated: Int?
  var disk: Int?
  var diskAllocated: Int?
  var overcommit: Overcommit?
  var memFree: Int?
  var diskFree: Int?
  var fingerprint: String?
  var quarantined: [QuarantinedView]?
  var lastReportAt: String?
  var createdAt: String?

  var handle: String? { addr }

  private static func share(_ part: Int?, of whole: Int?, _ text: (Int) -> String) -> String? {
    whole.map { "\(part.map(text) ?? "?") of \(text($0))" }
  }
}

/// A VM that nobody knows, and that its host stopped and keeps.
struct QuarantinedView: Decodable, Sendable {
  var id: String
  var owner: String?
  var since: String?

  var line: String {
    let words = [owner.map { "of \($0)" }, since.map { "since \(Age.dated($0))" }]
    return ([id] + words.compactMap(\.self)).joined(separator: " ")
  }
}
