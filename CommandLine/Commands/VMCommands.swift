import ArgumentParser
import Models

struct VMCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "vm", abstract: "Virtual machines.", discussion: "Example: iaas vm ls",
    subcommands: [
      ListCommand<VMView>.self, ShowCommand<VMView>.self, AddVM.self, StartVM.self, StopVM.self, RemoveVM.self,
      ShareCommand<VMView>.self, UnshareCommand<VMView>.self, SharesCommand<VMView>.self,
    ])
}

struct AddVM: Verb {
  static let configuration = CommandConfiguration(
    commandName: "add", abstract: "Make a VM from an image.",
    discussion: "Example: iaas vm add debian-12 2G --name web1 --ssh-key ~/.ssh/id_ed25519.pub --start")

  @OptionGroup var common: CommonOptions
  @OptionGroup var wait: WaitOptions

  @Argument(help: "Id, beginning of the id, or name of the image.")
  var image: String

  @Argument(help: "Memory: MiB, or a number with K, M or G.")
  var mem: String?

  @Option(help: "What to call it, and the guest's host name.")
  var name: String?

  @Option(help: "Virtual CPUs.")
  var vcpus: Int?

  @Option(help: ArgumentHelp("Size of the disk.", valueName: "gib"))
  var disk: Int?

  @Option(
    name: .customLong("ssh-key"), help: ArgumentHelp("A public key file; may be given again.", valueName: "file"))
  var sshKeys: [String] = []

  @Flag(help: "Start it.")
  var start = false

  func run(in context: CommandContext) async throws {
    let request = try APIRequest.send(.post, VMView.collectionPath, try await newVM(context))
    try await context.changeVM(request, to: start ? .running : nil, wait, output(context))
  }

  private func newVM(_ context: CommandContext) async throws -> NewVM {
    let memory = try Self.mebibytes(mem)
    let keys = try sshKeys.flatMap(SSHKey.read)
    let image = try await context.resolver.id(image, of: ImageView.self)
    return NewVM(
      image: ImageID(image.uuid), mem: memory, vcpus: vcpus, disk: disk, name: name, sshKeys: keys, start: start)
  }

  private static func mebibytes(_ text: String?) throws -> Int? {
    do { return try text.flatMap { try MemoryAmount(text: $0).mebibytes } } catch let error as ServiceError {
      throw CommandFailure(.usage, error.message)
    }
  }
}

struct StartVM: Verb {
  static let configuration = CommandConfiguration(
    commandName: "start", abstract: "Start a VM.", discussion: "Example: iaas vm start web1")

  @OptionGroup var common: CommonOptions
  @OptionGroup var wait: WaitOptions

  @Argument(help: "Its id, the beginning of its id, or its name.")
  var vm: String

  func run(in context: CommandContext) async throws {
    try await context.changePower(vm, .start, to: .running, wait, output(context))
  }
}

struct StopVM: Verb {
  static let configuration = CommandConfiguration(
    commandName: "stop", abstract: "Shut a VM down.", discussion: "Example: iaas vm stop web1")

  @OptionGroup var common: CommonOptions
  @OptionGroup var wait: WaitOptions

  @Argument(help: "Its id, the beginning of its id, or its name.")
  var vm: String

  func run(in context: CommandContext) async throws {
    try await context.changePower(vm, .stop, to: .stopped, wait, output(context))
  }
}

struct RemoveVM: Verb {
  static let configuration = CommandConfiguration(
    commandName: "rm", abstract: "Remove a VM and its disk.", discussion: "Example: iaas vm rm web1 -y")

  @OptionGroup var common: CommonOptions
  @OptionGroup var wait: WaitOptions

  @Argument(help: "Its id, the beginning of its id, or its name.")
  var vm: String

  @Flag(name: [.short, .customLong("yes")], help: "Do not ask.")
  var yes = false

  func run(in context: CommandContext) async throws {
    let id = yes ? try await context.resolver.id(vm, of: VMView.self) : try await confirmed(context)
    try await context.remove(id, as: vm, VMView.self, wait, output(context))
  }

  private func confirmed(_ context: CommandContext) async throws -> UUIDText {
    guard context.console.readsFromTerminal else {
      throw CommandFailure(.usage, "Removing a VM needs -y when there is no terminal to ask at.")
    }
    let found = try await context.resolver.object(vm, of: VMView.self)
    context.console.ask(Text.printable("Remove the VM \(found.label) and its disk? [y/N] ", limit: .max))
    guard ["y", "yes"].contains(context.console.readLine()?.lowercased()) else {
      throw CommandFailure(.failed, "Nothing was removed.")
    }
    return found.id
  }
}
