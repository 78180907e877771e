import ArgumentParser
import Models

struct Explain: Verb {
  static let configuration = CommandConfiguration(
    abstract: "Say whether a VM would find a host, and why not.",
    discussion: """
      Nothing is made. Administrators see every host with the reason against it.

      Example: iaas explain debian-12 64G --vcpus 16 --group web
      """)

  @OptionGroup var common: CommonOptions

  @Argument(help: "Id, beginning of the id, or name of the image.")
  var image: String

  @Argument(help: "Memory: MiB, or a number with K, M or G.")
  var mem: String?

  @Option(help: "Virtual CPUs.")
  var vcpus: Int?

  @Option(help: ArgumentHelp("Size of the disk.", valueName: "gib"))
  var disk: Int?

  @Option(help: "VMs of a group run on different hosts.")
  var group: String?

  func run(in context: CommandContext) async throws {
    let memory = try Memory.mebibytes(mem)
    let image = try await context.resolver.id(image, of: ImageView.self)
    let vm = NewVM(
      image: ImageID(image.uuid), mem: memory, vcpus: vcpus, disk: disk, name: nil, sshKeys: [], group: group,
      start: false)
    let answer = try await context.client.send(.send(.post, "/iaas/placements", vm))
    let placement: Fetched<PlacementView> = try context.client.decode(answer)
    try output(context).list(Fetched(value: placement.value.hosts ?? [], json: placement.json))
    guard placement.value.fits else { throw CommandFailure(.noCapacity, placement.value.message) }
    context.console.tell(placement.value.message)
  }
}

struct PlacementView: Decodable, Sendable {
  let fits: Bool
  let message: String
  let hosts: [HostVerdictView]?
}

/// What a host is to a VM that is to be placed.
struct HostVerdictView: Decodable, Presentable {
  static let columns: [Column<Self>] = [
    Column("host") { $0.addr },
    Column("verdict") { row in
      row.reason.map { "no: it \($0)" } ?? (row.best == true ? "yes, and the best" : "yes")
    },
  ]

  let host: UUIDText
  let addr: String
  let reason: String?
  let best: Bool?

  var shortName: String { addr }
}
