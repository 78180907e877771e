import ArgumentParser
import Models

struct AddVM: Verb {
  static let configuration = CommandConfiguration(
    commandName: "add", abstract: "Make a VM from an image.",
    discussion: """
      Without --key and --ssh-key it gets your default keys.

      Example: iaas vm add debian-12 2G --name web1 --ssh-key ~/.ssh/id_ed25519.pub --start
      Example: iaas vm add debian-12 2G --name web2 --key laptop --user-data web.yaml --group web --wait ssh
      """)

  @OptionGroup var common: CommonOptions
  @OptionGroup var wait: GuestWaitOptions

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
    name: .customLong("key"),
    help: ArgumentHelp("One of your stored keys, see iaas keys; may be given again.", valueName: "name"))
  var keys: [String] = []

  @Option(
    name: .customLong("ssh-key"),
    help: ArgumentHelp("A public key, or a file of them; may be given again.", valueName: "file"))
  var sshKeys: [String] = []

  @Option(
    name: .customLong("user-data"),
    help: ArgumentHelp("What cloud-init in the guest gets, at most 64 KiB; - for the input.", valueName: "file"))
  var userData: String?

  @Option(help: "VMs of a group run on different hosts.")
  var group: String?

  @Flag(help: "Start it; --wait does so too.")
  var start = false

  func run(in context: CommandContext) async throws {
    let request = try APIRequest.send(.post, VMView.collectionPath, try await newVM(context))
    try await context.changeVM(request, to: starts ? .running : nil, wait, output(context))
    // The VM is there, whether or not this can be said.
    if common.format == .table, let left = (try? await context.me())?.value.left {
      context.console.tell("Left of your quota: \(left).")
    }
  }

  private var starts: Bool { start || wait.wait != nil }

  /// What is on this machine is looked at before the server is asked.
  private func newVM(_ context: CommandContext) async throws -> NewVM {
    let memory = try Memory.mebibytes(mem)
    let given = try sshKeys.flatMap(KeySource.read)
    let userData = try userData.map { try UserData.read($0, context.console) }
    let image = try await context.resolver.id(image, of: ImageView.self)
    let stored = keys.isEmpty ? nil : try await context.resolver.ids(keys, of: KeyView.self).map { "\($0)" }
    return NewVM(
      image: ImageID(image.uuid), mem: memory, vcpus: vcpus, disk: disk, name: name, sshKeys: given, keys: stored,
      userData: userData, group: group, start: starts)
  }
}

/// What cloud-init gets.
enum UserData {
  /// - Parameter source: A file, or `-` for standard input.
  /// - Throws: `CommandFailure` `usage` for what the server would not take.
  static func read(_ source: String, _ console: any Console) throws -> String {
    let text = source == "-" ? try input(console) : try TextFile.read(source, largest: NewVM.userDataLimit)
    guard !text.contains("\0") else { throw CommandFailure(.usage, "The user-data holds a NUL, so it is no text.") }
    return text
  }

  private static func input(_ console: any Console) throws -> String {
    guard let data = console.readInput(upTo: NewVM.userDataLimit + 1) else {
      throw CommandFailure(.usage, "Cannot read the user-data from the input.")
    }
    return try TextFile.text(data, of: "The input", largest: NewVM.userDataLimit)
  }
}
