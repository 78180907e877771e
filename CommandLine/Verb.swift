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
}

/// A command that asks the API.
protocol Verb: AsyncParsableCommand {
  var common: CommonOptions { get }
  /// A server given as an option, before all other sources.
  var serverURL: String? { get }
  func run(in context: CommandContext) async throws
}

extension Verb {
  var serverURL: String? { nil }

  func run() async throws {
    let settings = try Settings(
      environment: ProcessInfo.processInfo.environment, url: serverURL, allowInsecureHTTP: common.insecureHTTP)
    try await HTTPTransport.withTransport { transport in
      try await run(
        in: CommandContext(
          settings: settings, transport: transport, console: ProcessConsole(),
          interruptions: { await Interruption.stream(of: Interruption.signals) }))
    }
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
  /// Begins to listen for what interrupts a command that must not just end.
  let interruptions: @Sendable () async -> AsyncStream<Void>

  init(
    settings: Settings, transport: any Transport, console: any Console, pause: Duration = .seconds(1),
    interruptions: @escaping @Sendable () async -> AsyncStream<Void>
  ) {
    self.settings = settings
    self.console = console
    self.interruptions = interruptions
    self.pause = pause
    client = APIClient(server: settings.server, token: settings.token, transport: transport)
  }

  var resolver: Resolver { Resolver(client: client) }

  func waiter(_ options: WaitOptions) -> Waiter {
    Waiter(client: client, console: console, options: options, pause: pause)
  }
}
