import ArgumentParser
import Models

struct ChangePassword: Verb {
  static let configuration = CommandConfiguration(
    commandName: "password", abstract: "Change your own password.",
    discussion: """
      It ends all your sessions, also this one. Without a terminal or files, the present password and the new one are \
      lines of the input.

      Example: iaas password
      """)

  @OptionGroup var common: CommonOptions
  @OptionGroup var current: CurrentPasswordOptions
  @OptionGroup var secret: PasswordOptions

  func run(in context: CommandContext) async throws {
    let me = try await context.me().value
    let present = try current.read(context.console)
    let password = try secret.readNew(context.console, prompt: "New password")
    let update = UserUpdate(password: password, currentPassword: present)
    _ = try await context.client.send(.send(.put, UserView.path(me.id), update))
    try output(context).note(
      "The password of \(me.email) is changed, and all sessions have ended. Log in again: iaas login \(me.email)",
      name: me.email, members: ["email": me.email, "id": "\(me.id)"])
    try context.settings.forgetToken()
    if context.settings.tokenIsGiven { context.console.tell("IAAS_TOKEN is set, and is no longer good.") }
  }
}
