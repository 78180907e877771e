import ArgumentParser

struct OperationCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "operation", abstract: "Slow things that were asked for.", discussion: "Example: iaas operation ls",
    subcommands: [ListCommand<OperationView>.self, ShowCommand<OperationView>.self, WatchOperation.self],
    aliases: ["op"])
}

struct WatchOperation: Verb {
  static let configuration = CommandConfiguration(
    commandName: "watch", abstract: "Follow an operation until it has ended.",
    discussion: """
      It fails if the operation does.

      Example: iaas operation watch 0199f3a2 --timeout 3600
      """)

  @OptionGroup var common: CommonOptions
  @OptionGroup var wait: WaitOptions

  @Argument(help: "Its id, or the beginning of it.")
  var operation: String

  func validate() throws {
    guard !wait.noWait else { throw ValidationError("Watching is waiting. Without it: iaas operation show") }
  }

  func run(in context: CommandContext) async throws {
    let id = try await context.resolver.id(operation, of: OperationView.self)
    let ended = try await context.waiter(wait).watch(id)
    try output(context).object(ended)
    try Waiter.successful(ended.value)
  }
}
