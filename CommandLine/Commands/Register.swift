import ArgumentParser

struct Register: Verb {
  static let configuration = CommandConfiguration(
    abstract: "Make an account for yourself, where the installation allows it.",
    discussion: "Example: iaas register ana@example.org --url https://iaas.example.org")

  @OptionGroup var common: CommonOptions

  @Argument(help: "The e-mail address to log in with.")
  var email: String

  @OptionGroup var secret: PasswordOptions

  @Option(help: ArgumentHelp("The code of the invitation that you were given.", valueName: "code"))
  var invitation: String?

  @Option(help: "The server; otherwise that of IAAS_URL, or of the last login.")
  var url: String?

  var serverURL: String? { url }

  /// A `NewUser` says more than a stranger may.
  private struct Registration: Encodable {
    let email: String
    let password: String
    let invitation: String?
  }

  func run(in context: CommandContext) async throws {
    let password = try secret.readNew(context.console, prompt: "New password of \(email)")
    let registration = Registration(email: email, password: password, invitation: invitation)
    let request = try APIRequest.send(.post, UserView.collectionPath, registration)
    let user: Fetched<UserView> = try context.client.decode(try await context.client.sendUnauthenticated(request))
    try output(context).object(user)
    context.console.tell("Now log in: iaas login \(email)\(url.map { " --url \($0)" } ?? "")")
  }
}
