import ArgumentParser

struct OperationCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "operation", abstract: "Slow things that were asked for.", discussion: "Example: iaas operation ls",
    subcommands: [ListCommand<OperationView>.self, ShowCommand<OperationView>.self])
}
