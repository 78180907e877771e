import ArgumentParser
import Foundation

struct SessionCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "session", abstract: "Your log-ins that have not ended.", discussion: "Example: iaas session ls",
    subcommands: [ListSessions.self, EndSession.self])
}

struct ListSessions: Verb {
  static let configuration = CommandConfiguration(
    commandName: "ls", abstract: "List your sessions.", discussion: "Example: iaas session ls", aliases: ["list"])

  @OptionGroup var common: CommonOptions

  func run(in context: CommandContext) async throws {
    try output(context).list(try await context.client.get([SessionView].self, SessionView.collectionPath))
  }
}

struct EndSession: Verb {
  static let configuration = CommandConfiguration(
    commandName: "rm", abstract: "End one of your sessions, or all but this one.",
    discussion: """
      Example: iaas session rm 0199f3a2
      Example: iaas session rm --others
      """)

  @OptionGroup var common: CommonOptions

  @Argument(help: "Its id, or the beginning of it.")
  var session: String?

  @Flag(help: "End all but the one that this command runs in.")
  var others = false

  func validate() throws {
    guard (session == nil) == others else { throw ValidationError("Give the session or --others.") }
  }

  func run(in context: CommandContext) async throws {
    guard let session else { return try await endOthers(context) }
    let id = try await context.resolver.id(session, of: SessionView.self)
    _ = try await context.client.send(.delete(SessionView.path(id)))
    try output(context).note("Ended the session \(id).", name: "\(id)", members: ["id": "\(id)"])
  }

  private func endOthers(_ context: CommandContext) async throws {
    let all = try await context.client.get([SessionView].self, SessionView.collectionPath)
    guard all.value.contains(where: { $0.current == true }) else {
      throw CommandFailure(.failed, "\(context.client.server) does not say which session is this one; none was ended.")
    }
    let others = zip(all.value, JSONArray.elements(of: all.json)).filter { $0.0.current != true }
    for (session, _) in others { try await end(session, context.client) }
    guard common.format == .table else {
      return try output(context).list(Fetched(value: others.map(\.0), json: JSONArray.joined(others.map(\.1))))
    }
    context.console.tell("Ended \(others.count) other session\(others.count == 1 ? "" : "s").")
  }

  /// One that has ended in the meantime is no failure.
  private func end(_ session: SessionView, _ client: APIClient) async throws {
    do {
      _ = try await client.send(.delete(SessionView.path(session.id)))
    } catch let failure as CommandFailure where failure.status == .notFound {}
  }
}
