import ArgumentParser
import Foundation
import Models

// The verbs by which people let others use what is theirs.

extension Role: ExpressibleByArgument {}

extension Resource {
  static func sharesPath(_ id: UUIDText) -> String { "\(path(id))/shares" }
}

/// `share`.
struct ShareCommand<Kind: Resource>: Verb {
  static var configuration: CommandConfiguration {
    CommandConfiguration(
      commandName: "share", abstract: "Let another person use one \(Kind.noun).",
      discussion: """
        An owner may do everything, an operator use it, a viewer see it.

        Example: iaas \(Kind.noun.lowercased()) share 0199f3a2 ana@example.org --role viewer --expires 7d
        """)
  }

  @OptionGroup var common: CommonOptions

  @Argument(help: "Its id, the beginning of its id, or its name.")
  var reference: String

  @Argument(help: "Id or e-mail address of the person.")
  var user: String

  @Option(help: "What the person may do with it.")
  var role = Role.owner

  @Option(
    help: ArgumentHelp(
      "Until when: 7d, 12h or 30m from now, a date (its beginning in UTC), or a time as in RFC 3339.",
      valueName: "time"))
  var expires: String?

  func run(in context: CommandContext) async throws {
    let share = NewShare(user: user, role: role, expiresAt: try expires.map { try Expiry.parse($0, now: Date()) })
    let id = try await context.resolver.id(reference, of: Kind.self)
    let answer = try await context.client.send(.send(.post, Kind.sharesPath(id), share))
    let permission: Fetched<PermissionView> = try context.client.decode(answer)
    try output(context).object(permission)
  }
}

/// `unshare`.
struct UnshareCommand<Kind: Resource>: Verb {
  static var configuration: CommandConfiguration {
    CommandConfiguration(
      commandName: "unshare", abstract: "Take one \(Kind.noun) back from another person.",
      discussion: "Example: iaas \(Kind.noun.lowercased()) unshare 0199f3a2 ana@example.org")
  }

  @OptionGroup var common: CommonOptions

  @Argument(help: "Its id, the beginning of its id, or its name.")
  var reference: String

  @Argument(help: "Id or e-mail address of the person.")
  var user: String

  func validate() throws {
    guard !user.isEmpty else { throw ValidationError("The person must not be empty.") }
  }

  func run(in context: CommandContext) async throws {
    let id = try await context.resolver.id(reference, of: Kind.self)
    _ = try await context.client.send(.delete("\(Kind.sharesPath(id))/\(APIRequest.segment(user))"))
    try output(context).note(
      "The \(Kind.noun) \(reference) is no longer shared with \(user).", name: user,
      members: ["id": "\(id)", "user": user])
  }
}

/// `shares`.
struct SharesCommand<Kind: Resource>: Verb {
  static var configuration: CommandConfiguration {
    CommandConfiguration(
      commandName: "shares", abstract: "List who may use one \(Kind.noun).",
      discussion: "Example: iaas \(Kind.noun.lowercased()) shares 0199f3a2")
  }

  @OptionGroup var common: CommonOptions

  @Argument(help: "Its id, the beginning of its id, or its name.")
  var reference: String

  func run(in context: CommandContext) async throws {
    let id = try await context.resolver.id(reference, of: Kind.self)
    try output(context).list(try await context.client.get([PermissionView].self, Kind.sharesPath(id)))
  }
}
