import ArgumentParser
import Models

struct UserCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "user", abstract: "People who may log in.", discussion: "Example: iaas user list",
    subcommands: [ListCommand<UserView>.self, AddUser.self, RemoveCommand<UserView>.self])
}

struct AddUser: Verb {
  static let configuration = CommandConfiguration(
    commandName: "add", abstract: "Let a person log in.",
    discussion: "Example: iaas user add ana@example.org --password-file ana.txt")

  @OptionGroup var common: CommonOptions
  @OptionGroup var wait: WaitOptions

  @Argument(help: "The e-mail address, or other name, to log in with.")
  var email: String

  @OptionGroup var secret: PasswordOptions

  @Flag(help: "Make the person an administrator.")
  var admin = false

  func run(in context: CommandContext) async throws {
    let password = try secret.read(context.console, prompt: "Password of \(email)")
    let user = NewUser(email: email, password: password, admin: admin)
    try await context.change(.send(.post, UserView.collectionPath, user), UserView.self, wait, output(context))
  }
}
