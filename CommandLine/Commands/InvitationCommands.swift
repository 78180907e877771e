import ArgumentParser
import Foundation
import Models

struct InvitationCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "invitation", abstract: "Leave for others to make an account.",
    discussion: "Example: iaas invitation ls",
    subcommands: [ListCommand<InvitationView>.self, AddInvitation.self, RemoveCommand<InvitationView>.self])
}

struct AddInvitation: Verb {
  static let configuration = CommandConfiguration(
    commandName: "add", abstract: "Let somebody make an account, once.",
    discussion: "Example: iaas invitation add --expires 7d")

  @OptionGroup var common: CommonOptions

  @Option(
    help: ArgumentHelp(
      "Until when: 7d, 12h or 30m from now, a date (its beginning in UTC), or a time as in RFC 3339. Otherwise a week.",
      valueName: "time"))
  var expires: String?

  func run(in context: CommandContext) async throws {
    let invitation = NewInvitation(expiresAt: try expires.map { try Expiry.parse($0, now: Date()) })
    let answer = try await context.client.send(.send(.post, InvitationView.collectionPath, invitation))
    let made: Fetched<InvitationView> = try context.client.decode(answer)
    try output(context).object(made, withAllFields: true)
    context.console.tell("The code is not shown again. It is for: iaas register EMAIL --invitation CODE")
  }
}
