import ArgumentParser
import Models

struct Login: Verb {
  static let configuration = CommandConfiguration(
    abstract: "Log in, and remember server and token.",
    discussion: """
      The token is kept in $IAAS_CONFIG, or iaas/config.json in $XDG_CONFIG_HOME or ~/.config. The code of a second \
      factor is asked for when the account has one.

      Example: iaas login ana@example.org --url https://iaas.example.org
      """)

  @OptionGroup var common: CommonOptions

  @Argument(help: "The e-mail address, or other name, of the account.")
  var email: String

  @OptionGroup var secret: PasswordOptions

  @Option(help: ArgumentHelp("The present code of the second factor, or a recovery code.", valueName: "code"))
  var otp: String?

  @Option(help: "The server; otherwise that of IAAS_URL, or of the last login.")
  var url: String?

  var serverURL: String? { url }
  var makesContext: Bool { true }

  func run(in context: CommandContext) async throws {
    let code = try otp.map(OneTimeCode.checked)
    let password = try secret.read(context.console, prompt: "Password of \(email)")
    let token = try await token(LoginRequest(email: email, password: password, otp: code), context)
    let server = "\(context.settings.server)"
    try context.settings.file.write(SavedLogin(url: server, token: token, email: email, ca: context.settings.ca))
    try output(context).note(
      "Logged in to \(server) as \(email).", name: email, members: ["email": email, "url": server])
    if context.settings.tokenIsGiven { context.console.tell("IAAS_TOKEN is set, and goes before this login.") }
  }

  /// Tries once more, with a code, if the server wants one that was not given.
  private func token(_ login: LoginRequest, _ context: CommandContext) async throws -> String {
    do {
      return try await send(login, context.client)
    } catch let failure as CommandFailure where failure.isRefusal(.otpRequired) && login.otp == nil {
      guard context.console.readsFromTerminal else {
        throw CommandFailure(.refused, "The account has a second factor. Give its present code with --otp.")
      }
      var complete = login
      complete.otp = try OneTimeCode.ask(context.console, prompt: OneTimeCode.prompt)
      return try await send(complete, context.client)
    }
  }

  private func send(_ login: LoginRequest, _ client: APIClient) async throws -> String {
    try client.decodeToken(try await client.sendUnauthenticated(.send(.post, "/iaas/sessions", login)))
  }
}
