import ArgumentParser
import Models

struct EnableTOTP: Verb {
  static let configuration = CommandConfiguration(
    commandName: "enable", abstract: "Begin to use a second factor.",
    discussion: """
      On a terminal it shows what the authenticator app needs, asks for the app's first code, and prints recovery \
      codes. Without one it prints what the app needs, and `iaas totp confirm` does the rest.

      Example: iaas totp enable
      """)

  static let prompt = "Code that the app shows now"
  private static let tries = 3
  private static let hint = "It counts once it is confirmed. To do so later: iaas totp confirm"

  @OptionGroup var common: CommonOptions
  @OptionGroup var secret: PasswordOptions

  func run(in context: CommandContext) async throws {
    let console = context.console
    let isSeen = console.readsFromTerminal && console.asksAtTerminal
    guard isSeen || secret.file != nil else {
      throw CommandFailure(
        .usage, "Enabling a second factor needs --password-file when there is no terminal to ask at.")
    }
    let me = try await context.me().value
    let password = try secret.read(console, prompt: "Password of \(me.email)")
    let request = try APIRequest.send(.post, UserView.totpPath(me.id), TOTPRequest(currentPassword: password))
    let enrolment: Fetched<TOTPEnrolment> = try context.client.decode(try await context.client.send(request))
    guard isSeen else {
      try output(context).object(enrolment, withAllFields: true)
      return console.tell(Self.hint)
    }
    Self.show(enrolment.value, on: console)
    try context.show(try await confirmation(by: me, context), output(context))
  }

  /// What the app needs goes where questions go, so that standard output has the recovery codes alone. The code is
  /// nearest to the question, because it is higher than small terminals are.
  private static func show(_ enrolment: TOTPEnrolment, on console: any Console) {
    console.tell("Scan the code with an authenticator app, or type this secret into it:")
    console.tell("  \(enrolment.groupedSecret)")
    console.tell("  \(enrolment.url)")
    guard let code = QRCode(enrolment.url), QRDrawing.columns(of: code) < console.terminalWidth ?? 0 else {
      return console.tell("This terminal is too narrow to show the code.")
    }
    for line in QRDrawing.lines(code) { console.writeError(line) }
  }

  private func confirmation(by me: UserView, _ context: CommandContext) async throws -> Fetched<RecoveryCodes> {
    do {
      for _ in 1..<Self.tries {
        if let codes = try await attempt(by: me, context) { return codes }
      }
      return try await context.confirmTOTP(of: me, OneTimeCode.ask(context.console, prompt: Self.prompt))
    } catch let failure as CommandFailure {
      throw CommandFailure(failure.status, lines: failure.lines + [Self.hint])
    }
  }

  /// Nil when the code is wrong, and another may be typed.
  private func attempt(by me: UserView, _ context: CommandContext) async throws -> Fetched<RecoveryCodes>? {
    do {
      return try await context.confirmTOTP(of: me, OneTimeCode.ask(context.console, prompt: Self.prompt))
    } catch let failure as CommandFailure where failure.isRefusal(.invalidCredentials) {
      for line in failure.lines { context.console.tell(line) }
      return nil
    }
  }
}
