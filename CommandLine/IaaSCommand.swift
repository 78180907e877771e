import ArgumentParser
import Foundation

/// The `iaas` command: one request, or one change waited for, and an exit status that scripts can rely on.
public struct IaaSCommand: AsyncParsableCommand {
  public static let configuration = CommandConfiguration(
    commandName: "iaas", abstract: "Virtual machines, images and hosts of an IaaS installation.",
    discussion: """
      Example: iaas login ana@example.org && iaas vm add debian-12 2G --ssh-key ~/.ssh/id_ed25519.pub --start

      Without arguments it takes one command after another, from the terminal or from a script on standard input; -e ends a \
      script at the first that fails.

      Images, VMs, hosts, users and keys are named by their id, the first characters of it (4 or more), or their name.

      Environment: IAAS_URL, IAAS_TOKEN, IAAS_CONTEXT, IAAS_CONFIG, IAAS_CA, IAAS_INSECURE_HTTP=1, NO_COLOR.
      Exit status: 0 done, 1 failed, 2 usage, 3 not found, 4 not logged in or not allowed, 5 conflict, 6 over quota, \
      7 no capacity, 8 timed out.
      """,
    version: "iaas \(Version.current)",
    subcommands: [
      Login.self, Logout.self, Register.self, Me.self, ChangePassword.self, TOTPCommand.self, SessionCommand.self,
      UserCommand.self, InvitationCommand.self, AuditCommand.self, HostCommand.self, ImageCommand.self, VMCommand.self,
      SSHCommand.self, KeyCommand.self, OperationCommand.self, ContextCommand.self, Explain.self, Doctor.self,
      CompletionCommand.self,
      VersionCommand.self,
    ])

  public init() {}

  /// Runs the command line of the process, and ends the process.
  public static func main() async {
    signal(SIGPIPE, SIG_IGN)
    let (arguments, console) = (Array(CommandLine.arguments.dropFirst()), ProcessConsole())
    let status =
      arguments.isEmpty || arguments == ["-e"]
      ? await ShellSession.run(console, stopsAtFailure: !arguments.isEmpty) : await run(arguments, console: console)
    Foundation.exit(status.rawValue)
  }

  /// Runs a command line and reports what went wrong.
  static func run(_ arguments: [String], console: any Console) async -> CommandStatus {
    do {
      if let failure = unknownCommand(arguments) { throw failure }
      var command = try await asyncParseAsRoot(arguments)
      if var command = command as? any AsyncParsableCommand {
        try await command.run()
      } else {
        try command.run()
      }
      return .done
    } catch {
      return report(error, console: console)
    }
  }

  /// What to say of a word in the place of a command, with the nearest that there is.
  private static func unknownCommand(_ arguments: [String]) -> CommandFailure? {
    var command: any ParsableCommand.Type = IaaSCommand.self
    var path: [String] = []
    for word in arguments {
      let known = command.configuration.subcommands
      guard !known.isEmpty, !word.hasPrefix("-"), word != "help" else { return nil }
      let names = known.flatMap { [$0._commandName] + $0.configuration.aliases }
      guard let next = known.first(where: { $0._commandName == word || $0.configuration.aliases.contains(word) }) else {
        let asked = (path + [word]).joined(separator: " ")
        let nearest = Spelling.nearest(to: word, in: names).map { (path + [$0]).joined(separator: " ") }
        let help = (["iaas"] + path + ["--help"]).joined(separator: " ")
        let advice = nearest.map { "did you mean \"\($0)\"?" } ?? "\(help) lists them."
        return CommandFailure(.usage, "There is no command \"\(asked)\"; \(advice)")
      }
      path.append(word)
      command = next
    }
    return nil
  }

  /// Help that was asked for goes to standard output, all else to standard error.
  static func report(_ error: any Error, console: any Console) -> CommandStatus {
    if let failure = error as? CommandFailure {
      for (index, line) in failure.lines.enumerated() { console.tell(index == 0 ? "iaas: \(line)" : line) }
      return failure.status
    }
    if error is CancellationError {
      console.tell("iaas: Interrupted.")
      return .failed
    }
    let text = fullMessage(for: error)
    switch exitCode(for: error) {
    case .success:
      return (try? console.print(text + "\n")) == nil ? .failed : .done
    case .validationFailure:
      for line in text.split(separator: "\n", omittingEmptySubsequences: false) { console.tell(String(line)) }
      return .usage
    default:
      console.tell("iaas: something unforeseen went wrong: \(error)")
      return .failed
    }
  }
}
