import Models

/// A virtual machine.
struct VMView: Resource {
  static let noun = "VM"
  static let collection = "vms"
  static let handleField: String? = "name"
  static let exampleQuery = "state = 'running'"
  static let columns: [Column<Self>] = [
    Column("id") { "\($0.id)" }, Column("name") { $0.name }, Column("state") { $0.state },
    Column("vcpus") { $0.vcpus.map { "\($0)" } }, Column("mem") { $0.mem.map(Units.mebibytes) },
    Column("disk") { $0.disk.map(Units.gibibytes) },
    Column("addresses") { ($0.addresses ?? []).map(\.ip).joined(separator: ",") }, Column("created") { $0.createdAt },
  ]
  static var fields: [Column<Self>] {
    [
      Column("id") { "\($0.id)" }, Column("name") { $0.name }, Column("state") { $0.stateText },
      Column("readiness", lines: { $0.readiness?.lines ?? [] }),
      Column("addresses", lines: { ($0.addresses ?? []).map { "\($0.ip) (\($0.mac))" } }),
      Column("ssh") { $0.sshCommand }, Column("size") { $0.sizeText }, Column("image") { $0.image },
      Column("host") { $0.host }, Column("group") { $0.group },
      Column("host keys", lines: { ($0.hostKeys ?? []).map { PublicKey($0)?.fingerprint ?? "not a key" } }),
      Column("caps", lines: { $0.caps.map { CapAssignment.lines($0) } ?? [] }),
      Column("busy") { $0.busySince.map { "since \(Age.dated($0))" } },
      Column("owner") { $0.owner }, Column("created") { $0.createdAt },
      Column("started") { $0.startedAt.map { Age.dated($0) } },
    ]
  }

  var id: UUIDText
  var name: String?
  var image: String?
  var host: String?
  var mem: Int?
  var vcpus: Int?
  var disk: Int?
  var group: String?
  var state: String
  var reason: String?
  var readiness: ReadinessView?
  var addresses: [VMAddress]?
  var hostKeys: [String]?
  var caps: Caps?
  var busySince: String?
  var owner: String?
  var createdAt: String?
  var startedAt: String?

  var handle: String? { name }
  var trouble: String? { state == "error" ? reason ?? "The VM \(label) is in error." : nil }

  /// The first address at which the guest can be reached.
  var address: GuestAddress? { addresses?.lazy.compactMap { GuestAddress($0.ip) }.first }

  /// The command that reaches it.
  var sshCommand: String? { address.map { "ssh root@\($0)" } }

  private var stateText: String { reason.map { "\(state): \($0)" } ?? state }

  private var sizeText: String {
    let cpus = vcpus.map { $0 == 1 ? "1 vCPU" : "\($0) vCPUs" }
    let rest = [mem.map { "\(Units.mebibytes($0)) memory" }, disk.map { "\(Units.gibibytes($0)) disk" }]
    return ([cpus] + rest).compactMap(\.self).joined(separator: ", ")
  }
}
