import ArgumentParser
import Models

struct HostCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "host", abstract: "Machines that VMs run on.", discussion: "Example: iaas host ls",
    subcommands: [ListCommand<HostView>.self, AddHost.self, RemoveCommand<HostView>.self])
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
