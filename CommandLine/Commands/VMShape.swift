import ArgumentParser
import Models

// The verbs that change what a VM is.

struct ResizeVM: Verb {
  static let configuration = CommandConfiguration(
    commandName: "resize", abstract: "Change the memory, the CPUs or the disk of a VM.",
    discussion: """
      A disk only grows. The VM must be stopped.

      Example: iaas vm resize web1 --mem 4G --vcpus 2 --disk 20
      """)

  @OptionGroup var common: CommonOptions
  @OptionGroup var wait: WaitOptions

  @Argument(help: "Its id, the beginning of its id, or its name.")
  var vm: String

  @Option(help: "Memory: MiB, or a number with K, M or G.")
  var mem: String?

  @Option(help: "Virtual CPUs.")
  var vcpus: Int?

  @Option(help: ArgumentHelp("Size of the disk.", valueName: "gib"))
  var disk: Int?

  func validate() throws {
    guard mem?.isEmpty == false || vcpus != nil || disk != nil else {
      throw ValidationError("Give --mem, --vcpus or --disk.")
    }
  }

  func run(in context: CommandContext) async throws {
    let size = VMSize(mem: try Memory.mebibytes(mem), vcpus: vcpus, disk: disk)
    let id = try await context.resolver.id(vm, of: VMView.self)
    try await context.changeVM(.changing(id, .resize(size)), to: nil, wait, output(context))
  }
}

struct RenameVM: Verb {
  static let configuration = CommandConfiguration(
    commandName: "rename", abstract: "Call a VM something else.", discussion: "Example: iaas vm rename web1 www")

  @OptionGroup var common: CommonOptions
  @OptionGroup var wait: WaitOptions

  @Argument(help: "Its id, the beginning of its id, or its name.")
  var vm: String

  @Argument(help: "What to call it from now on.")
  var name: String

  func run(in context: CommandContext) async throws {
    let id = try await context.resolver.id(vm, of: VMView.self)
    try await context.changeVM(.changing(id, .rename(name)), to: nil, wait, output(context))
  }
}

struct RebuildVM: Verb {
  static let configuration = CommandConfiguration(
    commandName: "rebuild", abstract: "Give a VM a new disk, made from an image.",
    discussion: """
      What is on the old disk is lost. The VM must be stopped.

      Example: iaas vm rebuild web1 debian-12 -y
      """)

  @OptionGroup var common: CommonOptions
  @OptionGroup var wait: WaitOptions

  @Argument(help: "Its id, the beginning of its id, or its name.")
  var vm: String

  @Argument(help: "Id, beginning of the id, or name of the image.")
  var image: String

  @OptionGroup var confirmation: ConfirmationOptions

  func run(in context: CommandContext) async throws {
    let id = try await confirmation.object(
      vm, of: VMView.self, in: context, act: "Rebuilding a VM", refusal: "Nothing was rebuilt.",
      question: { "Give the VM \($0.label) a new disk made from \(image)? What is on its disk is lost." })
    let imageID = ImageID(try await context.resolver.id(image, of: ImageView.self).uuid)
    try await context.changeVM(.changing(id, .rebuild(imageID)), to: nil, wait, output(context))
    context.knownHosts.forget(id)
  }
}

struct MoveVM: Verb {
  static let configuration = CommandConfiguration(
    commandName: "move", abstract: "Move a VM to another host.",
    discussion: """
      The VM must be stopped.

      Example: iaas vm move web1 hv2.example.org:7443
      """)

  @OptionGroup var common: CommonOptions
  @OptionGroup var wait: WaitOptions

  @Argument(help: "Its id, the beginning of its id, or its name.")
  var vm: String

  @Argument(help: "Id, beginning of the id, or address of the host.")
  var host: String

  func run(in context: CommandContext) async throws {
    let id = try await context.resolver.id(vm, of: VMView.self)
    let hostID = HostID(try await context.resolver.id(host, of: HostView.self).uuid)
    try await context.changeVM(.changing(id, .move(hostID)), to: nil, wait, output(context))
  }
}
