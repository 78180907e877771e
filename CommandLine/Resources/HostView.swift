import Models

/// A hypervisor host.
struct HostView: Resource {
  static let noun = "host"
  static let collection = "hosts"
  static let handleField: String? = "addr"
  static let exampleQuery = "state = 'up'"
  static let columns: [Column<Self>] = [
    Column("id") { "\($0.id)" }, Column("addr") { $0.addr }, Column("state") { $0.state },
    Column("arch") { $0.arch }, Column("cpus") { share($0.cpusAllocated, of: $0.cpus) { "\($0)" } },
    Column("mem") { share($0.memAllocated, of: $0.mem, Units.mebibytes) },
    Column("disk") { share($0.diskAllocated, of: $0.disk, Units.gibibytes) },
    Column("mem free") { $0.memFree.map(Units.mebibytes) }, Column("disk free") { $0.diskFree.map(Units.gibibytes) },
  ]
  static var fields: [Column<Self>] {
    columns + [
      Column("user") { $0.user }, Column("hypervisor") { $0.hypervisor },
      Column("virtualisation") { $0.virtualisation }, Column("fingerprint") { $0.fingerprint },
      Column("created") { $0.createdAt },
    ]
  }

  var id: UUIDText
  var addr: String?
  var user: String?
  var state: String
  var hypervisor: String?
  var virtualisation: String?
  var arch: String?
  var cpus: Int?
  var cpusAllocated: Int?
  var mem: Int?
  var memAllocated: Int?
  var disk: Int?
  var diskAllocated: Int?
  var memFree: Int?
  var diskFree: Int?
  var fingerprint: String?
  var createdAt: String?

  var handle: String? { addr }

  private static func share(_ part: Int?, of whole: Int?, _ text: (Int) -> String) -> String? {
    whole.map { "\(part.map(text) ?? "?") of \(text($0))" }
  }
}
