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
    columns + [
      Column("started") { $0.startedAt }, Column("image") { $0.image }, Column("host") { $0.host },
      Column("owner") { $0.owner }, Column("reason") { $0.reason },
    ]
  }

  var id: UUIDText
  var name: String?
  var image: String?
  var host: String?
  var mem: Int?
  var vcpus: Int?
  var disk: Int?
  var state: String
  var reason: String?
  var addresses: [VMAddress]?
  var owner: String?
  var createdAt: String?
  var startedAt: String?

  var handle: String? { name }
  var trouble: String? { state == "error" ? reason ?? "The VM \(label) is in error." : nil }

  /// The command that reaches it, for an address that is safe to paste.
  var sshCommand: String? {
    let address = addresses?.map(\.ip).first { ip in
      !ip.isEmpty && ip.allSatisfy { $0.isASCII && ($0.isHexDigit || $0 == "." || $0 == ":") }
    }
    return address.map { "ssh root@\($0)" }
  }
}
