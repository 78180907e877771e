import Dispatch
import Foundation
import Synchronization

/// The shell of this process.
enum ShellSession {
  static func run(_ console: ProcessConsole, stopsAtFailure: Bool) async -> CommandStatus {
    let isInteractive = console.readsFromTerminal && console.printsToTerminal
    if isInteractive { try? console.print("Welcome!\n") }
    let source: any LineSource =
      isInteractive
      ? TerminalLines(history: history, completion: ShellCompletion { ShellNames.shared.names(of: $0) })
      : PipedLines(console: console)
    let shell = Shell(source: source, console: console, stopsAtFailure: stopsAtFailure) { arguments in
      await Interrupts.cancelling { await IaaSCommand.run(arguments, console: console) }
    }
    return await shell.run()
  }

  /// Beside the saved login, and as private.
  private static var history: PrivateFile {
    let login = ConfigurationFile(environment: ProcessInfo.processInfo.environment)
    return PrivateFile(path: "\(login.path).history", ownsFolder: login.ownsFolder)
  }
}

/// Names and ids of what there is, for completion; asked for again after some seconds.
final class ShellNames: Sendable {
  static let shared = ShellNames()

  private struct Answer {
    let names: [String]
    let at: ContinuousClock.Instant
  }

  private let known = Mutex<[ShellVerb.Kind: Answer]>([:])

  /// Waits a moment for the server, and offers nothing if it does not answer by then.
  /// Called by the thread that reads lines, which may be blocked.
  func names(of kind: ShellVerb.Kind) -> [String] {
    if let answer = known.withLock({ $0[kind] }), ContinuousClock.now - answer.at < .seconds(5) { return answer.names }
    let done = DispatchSemaphore(value: 0)
    Task {
      if let names = try? await Self.ask(kind) { known.withLock { $0[kind] = Answer(names: names, at: .now) } }
      done.signal()
    }
    _ = done.wait(timeout: .now() + 1.5)
    return known.withLock { $0[kind]?.names } ?? []
  }

  private static func ask(_ kind: ShellVerb.Kind) async throws -> [String] {
    let settings = try Settings(environment: ProcessInfo.processInfo.environment, url: nil, allowInsecureHTTP: false)
    let found = Mutex<[String]>([])
    try await HTTPTransport.withTransport(ca: settings.ca) { transport in
      let client = APIClient(server: settings.server, token: settings.token, transport: transport)
      let names = try await names(of: kind, client)
      found.withLock { $0 = names }
    }
    return found.withLock { $0 }
  }

  private static func names(of kind: ShellVerb.Kind, _ client: APIClient) async throws -> [String] {
    switch kind {
    case .vm: try await names(VMView.self, client)
    case .image: try await names(ImageView.self, client)
    case .host: try await names(HostView.self, client)
    case .user: try await names(UserView.self, client)
    case .text, .secret: []
    }
  }

  private static func names<Kind: Resource>(_: Kind.Type, _ client: APIClient) async throws -> [String] {
    let all = try await client.get([Kind].self, Kind.collectionPath, query: [(name: "limit", value: "500")]).value
    return all.flatMap { object in (object.handle.map { [$0] } ?? []) + ["\(object.id)"] }
  }
}
