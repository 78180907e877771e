import ArgumentParser
import Models

struct VMCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "vm", abstract: "Virtual machines.", discussion: "Example: iaas vm ls",
    subcommands: [
      ListCommand<VMView>.self, ShowCommand<VMView>.self, AddVM.self, StartVM.self, StopVM.self, RebootVM.self,
      ResetVM.self, PauseVM.self, ResumeVM.self, ResizeVM.self, RenameVM.self, RebuildVM.self, MoveVM.self,
      CapVM.self, SaveVM.self, OpenConsole.self, ShowLog.self, ShowMetrics.self, TopVMs.self, SSHCommand.self,
      RemoveVM.self,
      ShareCommand<VMView>.self,
      UnshareCommand<VMView>.self,
      SharesCommand<VMView>.self,
    ])
}

struct RemoveVM: Verb {
  static let configuration = CommandConfiguration(
    commandName: "rm", abstract: "Remove a VM and its disk.", discussion: "Example: iaas vm rm web1 -y")

  @OptionGroup var common: CommonOptions
  @OptionGroup var wait: WaitOptions

  @Argument(help: "Its id, the beginning of its id, or its name.")
  var vm: String

  @OptionGroup var confirmation: ConfirmationOptions

  func run(in context: CommandContext) async throws {
    let id = try await confirmation.removal(of: vm, VMView.self, in: context) { _ in "and its disk" }
    try await context.remove(id, as: vm, VMView.self, wait, output(context))
    context.knownHosts.forget(id)
  }
}

struct ShowLog: Verb {
  static let configuration = CommandConfiguration(
    commandName: "logs", abstract: "Show what a VM wrote to its serial console.",
    discussion: """
      A terminal gets it without colours and movements of the cursor, anything else as it is.

      Example: iaas vm logs web1 --bytes 4096
      """)

  @OptionGroup var common: CommonOptions

  @Argument(help: "Its id, the beginning of its id, or its name.")
  var vm: String

  @OptionGroup var log: LogOptions

  func run(in context: CommandContext) async throws {
    let id = try await context.resolver.id(vm, of: VMView.self)
    try await log.show(id, common.format, context, output(context))
  }
}

struct OpenConsole: Verb {
  static let configuration = CommandConfiguration(
    commandName: "console", abstract: "Sit at a VM's serial console; Ctrl-] leaves.",
    discussion: """
      What the guest writes reaches the terminal as it is. Where there is no terminal, and with --bytes, it shows what the \
      VM wrote, as logs does.

      Example: iaas vm console web1
      """)

  @OptionGroup var common: CommonOptions

  @Argument(help: "Its id, the beginning of its id, or its name.")
  var vm: String

  @OptionGroup var log: LogOptions

  func run(in context: CommandContext) async throws {
    let id = try await context.resolver.id(vm, of: VMView.self)
    guard log.bytes == nil, common.format == .table, context.console.readsFromTerminal,
      let terminal = context.console.openTerminal()
    else { return try await log.show(id, common.format, context, output(context)) }
    defer {
      terminal.restore()
      context.console.tell("")
    }
    context.console.writeError("The console of \(vm). Ctrl-] leaves.\r")
    try await sit(at: "\(VMView.path(id))/console", terminal, context)
  }

  private func sit(at path: String, _ terminal: RawTerminal, _ context: CommandContext) async throws {
    try await withThrowingTaskGroup(of: Void.self) { group in
      defer { group.cancelAll() }
      group.addTask {
        try await context.client.stream(.get("\(path)/live")) { bytes in
          // A NUL is the server's sign of life.
          try context.console.write(bytes.filter { $0 != 0 })
        }
        throw CommandFailure(.failed, "The console was closed: the VM is off.")
      }
      group.addTask {
        for await text in terminal.typed {
          _ = try await context.client.send(.send(.post, path, ConsoleInput(input: text)))
        }
      }
      try await group.next()
    }
  }
}

/// What of a log is shown.
struct LogOptions: ParsableArguments {
  @Option(help: ArgumentHelp("Only so many bytes, the last ones.", valueName: "count"))
  var bytes: Int?

  func validate() throws {
    guard bytes ?? 1 > 0 else { throw ValidationError("--bytes must be 1 or more.") }
  }

  func show(_ id: UUIDText, _ format: OutputFormat, _ context: CommandContext, _ output: Output) async throws {
    let query = bytes.map { [(name: "bytes", value: "\($0)")] } ?? []
    let text = try await context.client.text("\(VMView.path(id))/console", query: query)
    try output.text(text, members: ["id": "\(id)"], member: "console")
    if text.isEmpty, format != .json { context.console.tell("The VM has not written anything yet.") }
  }
}

struct SaveVM: Verb {
  static let configuration = CommandConfiguration(
    commandName: "save", abstract: "Save a VM's disk as a new image.",
    discussion: "Example: iaas vm save web1 web-2030 \"The web server, set up\"", aliases: ["snapshot"])

  @OptionGroup var common: CommonOptions
  @OptionGroup var wait: WaitOptions

  @Argument(help: "Its id, the beginning of its id, or its name.")
  var vm: String

  @Argument(help: "What to call the image.")
  var name: String

  @Argument(help: "What the image is.")
  var desc = ""

  func run(in context: CommandContext) async throws {
    let id = try await context.resolver.id(vm, of: VMView.self)
    let request = try APIRequest.send(.post, "\(VMView.path(id))/snapshots", NewSnapshot(name: name, desc: desc))
    try await context.change(request, ImageView.self, wait, output(context))
  }
}
