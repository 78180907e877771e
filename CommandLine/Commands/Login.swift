import ArgumentParser
import Models

struct Login: Verb {
  static let configuration = CommandConfiguration(
    abstract: "Log in, and remember server and token.",
    discussion: """
      The token is kept in $IAAS_CONFIG, or iaas/config.json in $XDG_CONFIG_HOME or ~/.config.

      Example: iaas login ana@example.org --url https://iaas.example.org
      """)

  @OptionGroup var common: CommonOptions

  @Argument(help: "The e-mail address, or other name, of the account.")
  var email: String

  @OptionGroup var secret: PasswordOptions

  @Option(help: "The server; otherwise that of IAAS_URL, or of the last login.")
  var url: String?

  var serverURL: String? { url }

  func run(in context: CommandContext) async throws {
    let password = try secret.read(context.console, prompt: "Password of \(email)")
    let request = try APIRequest.send(.post, "/iaas/sessions", LoginRequest(email: email, password: password))
    let token = try context.client.decodeToken(try await context.client.sendUnauthenticated(request))
    let server = "\(context.settings.server)"
    try context.settings.file.write(SavedLogin(url: server, token: token, email: email))
    try output(context).note(
      "Logged in to \(server) as \(email).", name: email, members: ["email": email, "url": server])
    if context.settings.token != nil, !context.settings.tokenIsSaved {
      context.console.tell("IAAS_TOKEN is set, and goes before this login.")
    }
  }
}
