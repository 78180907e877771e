import ArgumentParser
import Foundation

/// What every verb takes.
struct CommonOptions: ParsableArguments {
  @Option(
    name: [.customShort("o"), .customLong("output")],
    help: ArgumentHelp("How to print the result.", valueName: "format"))
  var format = OutputFormat.table

  @Flag(name: .customLong("insecure-http"), help: "Allow plain http to another machine.")
  var insecureHTTP = false

  @Option(help: ArgumentHelp("Another saved login than the present one, see iaas context.", valueName: "name"))
  var context: String?

  @Option(
    help: ArgumentHelp(
      "Trust servers of the authorities whose certificates (PEM) are in this file, too.", valueName: "file"))
  var ca: String?
}

/// A command that asks the API.
protocol Verb: AsyncParsableCommand {
  var common: CommonOptions { get }
  /// A server given as an option, before all other sources.
  var serverURL: String? { get }
  /// Whether the context that was chosen may be a new one.
  var makesContext: Bool { get }
  func run(in context: CommandContext) async throws
}

extension Verb {
  var serverURL: String? { nil }
  var makesContext: Bool { false }

  func run() async throws {
    let settings = try Settings(
      environment: ProcessInfo.processInfo.environment, url: serverURL, allowInsecureHTTP: common.insecureHTTP,
      context: common.context, ca: common.ca, isNewContext: makesContext)
    let successor = Successor()
    try await HTTPTransport.withTransport(ca: settings.ca) { transport in
      try await run(
        in: CommandContext(
          settings: settings, transport: transport, console: ProcessConsole(),
          successor: successor, interruptions: { await Interruption.stream(of: Interruption.signals) }))
    }
    try successor.program?.replaceProcess()
  }

  func output(_ context: CommandContext) -> Output { Output(format: common.format, console: context.console) }
}

/// What a command works with.
struct CommandContext: Sendable {
  let settings: Settings
  let client: APIClient
  let console: any Console
  /// Least time between two questions after an operation.
  let pause: Duration
  /// Takes the program that the process is left to at the end.
  let successor: Successor
  /// Begins to listen for what interrupts a command that must not just end.
  let interruptions: @Sendable () async -> AsyncStream<Void>

  init(
    settings: Settings, transport: any Transport, console: any Console, pause: Duration = .seconds(1),
    successor: Successor, interruptions: @escaping @Sendable () async -> AsyncStream<Void>
  ) {
    self.settings = settings
    self.console = console
    self.interruptions = interruptions
    self.pause = pause
    self.successor = successor
    client = APIClient(server: settings.server, token: settings.token, transport: transport)
  }

  var resolver: Resolver { Resolver(client: client) }

  func waiter(_ options: WaitOptions) -> Waiter {
    Waiter(client: client, console: console, options: options, pause: pause, interruptions: interruptions)
  }

  /// - Parameter limit: Seconds from the start.
  func guestWaiter(from start: ContinuousClock.Instant, limit: Int) -> GuestWaiter {
    GuestWaiter(client: client, console: console, pause: pause, start: start, limit: limit)
  }

  /// Where the host keys of guests are written down.
  var knownHosts: KnownHosts { KnownHosts(beside: settings.file) }
}
