import ArgumentParser
import Models

struct HostCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "host", abstract: "Machines that VMs run on.", discussion: "Example: iaas host ls",
    subcommands: [
      ListCommand<HostView>.self, ShowCommand<HostView>.self, AddHost.self, HostMaintenance.self, DrainHost.self,
      HostUp.self,
      HostDead.self, OvercommitHost.self, RemoveHost.self,
    ])
}

struct AddHost: Verb {
  static let configuration = CommandConfiguration(
    commandName: "add", abstract: "Enrol the agent of a host.",
    discussion: "Example: iaas host add hv1.example.org:7443 enrol --password-file agent.txt")

  @OptionGroup var common: CommonOptions
  @OptionGroup var wait: WaitOptions

  @Argument(help: "Name or address of the agent, perhaps with its port.")
  var addr: String

  @Argument(help: "The enrolment account of the agent's configuration.")
  var user: String

  @OptionGroup var secret: PasswordOptions

  @Option(help: ArgumentHelp("SHA-256 that the agent's certificate must have.", valueName: "hex"))
  var fingerprint: String?

  func run(in context: CommandContext) async throws {
    let password = try secret.read(context.console, prompt: "Password of \(user) at \(addr)")
    let host = NewHost(addr: addr, user: user, password: password, fingerprint: fingerprint)
    try await context.change(.send(.post, HostView.collectionPath, host), HostView.self, wait, output(context))
  }
}

struct OvercommitHost: Verb {
  static let configuration = CommandConfiguration(
    commandName: "overcommit", abstract: "Set how much of a host is promised to VMs.",
    discussion: """
      Each is a multiple of what the host has, 0.1 to 100. What is not given stays.

      Example: iaas host overcommit hv1.example.org:7443 --cpus 4 --mem 1 --disk 1.5
      """)

  @OptionGroup var common: CommonOptions
  @OptionGroup var wait: WaitOptions

  @Argument(help: "Its id, the beginning of its id, or its address.")
  var host: String

  @Option(help: ArgumentHelp("Virtual CPUs for each of its own.", valueName: "factor"))
  var cpus: Double?

  @Option(help: ArgumentHelp("Memory of VMs for its own.", valueName: "factor"))
  var mem: Double?

  @Option(help: ArgumentHelp("Disks of VMs for its own.", valueName: "factor"))
  var disk: Double?

  func validate() throws {
    let given = [cpus, mem, disk].compactMap(\.self)
    guard !given.isEmpty else { throw ValidationError("Give --cpus, --mem or --disk.") }
    guard given.allSatisfy((0.1...100).contains) else { throw ValidationError("The factors must be 0.1 to 100.") }
  }

  func run(in context: CommandContext) async throws {
    let id = try await context.resolver.id(host, of: HostView.self)
    let update = HostUpdate(state: nil, overcommit: try await overcommit(of: id, context))
    try await context.change(.send(.put, HostView.path(id), update), HostView.self, wait, output(context))
  }

  /// The server takes all three, so those that are not given are asked for first.
  private func overcommit(of id: UUIDText, _ context: CommandContext) async throws -> Overcommit {
    if let cpus, let mem, let disk { return Overcommit(cpus: cpus, mem: mem, disk: disk) }
    guard let present = try await context.client.get(HostView.self, HostView.path(id)).value.overcommit else {
      throw CommandFailure(
        .failed, "\(context.client.server) does not say what it is now. Give --cpus, --mem and --disk.")
    }
    return Overcommit(cpus: cpus ?? present.cpus, mem: mem ?? present.mem, disk: disk ?? present.disk)
  }
}

struct RemoveHost: Verb {
  static let configuration = CommandConfiguration(
    commandName: "rm", abstract: "Remove one host.",
    discussion: """
      A host with VMs is only removed with --cascade.

      Example: iaas host rm hv1.example.org:7443
      """)

  @OptionGroup var common: CommonOptions
  @OptionGroup var wait: WaitOptions

  @Argument(help: "Its id, the beginning of its id, or its address.")
  var host: String

  @Flag(help: "Remove its VMs and their disks too, whoever owns them.")
  var cascade = false

  @OptionGroup var confirmation: ConfirmationOptions

  func run(in context: CommandContext) async throws {
    let id = try await confirmation.removal(of: host, HostView.self, in: context) { found in
      guard cascade else { return nil }
      let query = [(name: "query", value: "host = '\(found.id)'")]
      let vms = try await context.client.get([VMView].self, VMView.collectionPath, query: query).value
      return vms.isEmpty ? nil : "with its VMs \(vms.map(\.shortName).joined(separator: ", ")), and their disks"
    }
    let request = APIRequest.delete(HostView.path(id) + (cascade ? "?cascade=true" : ""))
    try await context.remove(request, id, as: host, HostView.self, wait, output(context))
  }
}
