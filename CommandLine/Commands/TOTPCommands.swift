import ArgumentParser
import Models

struct TOTPCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "totp", abstract: "The second factor of a log-in: codes of an authenticator app.",
    discussion: "Example: iaas totp enable",
    subcommands: [EnableTOTP.self, ConfirmTOTP.self, DisableTOTP.self, ResetTOTP.self])
}

struct ConfirmTOTP: Verb {
  static let configuration = CommandConfiguration(
    commandName: "confirm", abstract: "Turn your second factor on, with a code of the app.",
    discussion: """
      The recovery codes are printed once.

      Example: iaas totp confirm
      """)

  @OptionGroup var common: CommonOptions

  @Argument(help: "The code that the app shows now; otherwise it is asked for.")
  var code: [String] = []

  func run(in context: CommandContext) async throws {
    let given = code.isEmpty ? nil : try OneTimeCode.checked(code.joined())
    guard given != nil || context.console.readsFromTerminal else {
      throw CommandFailure(.usage, "Confirming needs the code when there is no terminal to ask at.")
    }
    let me = try await context.me().value
    let code = try given ?? OneTimeCode.ask(context.console, prompt: EnableTOTP.prompt)
    try context.show(try await context.confirmTOTP(of: me, code), output(context))
  }
}

struct DisableTOTP: Verb {
  static let configuration = CommandConfiguration(
    commandName: "disable", abstract: "Turn your second factor off.", discussion: "Example: iaas totp disable")

  @OptionGroup var common: CommonOptions

  @Option(help: ArgumentHelp("The present code, or a recovery code; otherwise it is asked for.", valueName: "code"))
  var otp: String?

  @OptionGroup var strays: StraySecrets

  func run(in context: CommandContext) async throws {
    let given = try otp.map(OneTimeCode.checked)
    guard given != nil || context.console.readsFromTerminal else {
      throw CommandFailure(.usage, "Disabling needs --otp when there is no terminal to ask at.")
    }
    let me = try await context.me().value
    let code = try given ?? OneTimeCode.ask(context.console, prompt: OneTimeCode.prompt)
    _ = try await context.client.send(.send(.delete, UserView.totpPath(me.id), TOTPProof(otp: code)))
    try output(context).note(
      "The second factor of \(me.label) is off.", name: me.email, members: ["email": me.email, "id": "\(me.id)"])
  }
}

struct ResetTOTP: Verb {
  static let configuration = CommandConfiguration(
    commandName: "reset", abstract: "Turn another person's second factor off.",
    discussion: """
      For administrators, and people who have lost their app and their recovery codes.

      Example: iaas totp reset ana@example.org
      """)

  @OptionGroup var common: CommonOptions

  @Argument(help: "Id, beginning of the id, or e-mail address of the person.")
  var user: String

  func run(in context: CommandContext) async throws {
    let person = try await context.resolver.object(user, of: UserView.self)
    _ = try await context.client.send(.delete(UserView.totpPath(person.id)))
    try output(context).note(
      "The second factor of \(person.label) is off.", name: person.email,
      members: ["email": person.email, "id": "\(person.id)"])
  }
}

extension UserView {
  static func totpPath(_ id: UUIDText) -> String { "\(path(id))/totp" }
}

extension CommandContext {
  func confirmTOTP(of user: UserView, _ code: String) async throws -> Fetched<RecoveryCodes> {
    try client.decode(try await client.send(.send(.put, UserView.totpPath(user.id), TOTPProof(otp: code))))
  }

  /// Prints the recovery codes, which nobody can ask for again.
  func show(_ codes: Fetched<RecoveryCodes>, _ output: Output) throws {
    console.tell(
      "The second factor is on. Keep these recovery codes safe, and apart from the app: each stands in for a code "
        + "once, and they are not shown again.")
    try output.list(Fetched(value: codes.value.recoveryCodes.map(RecoveryCode.init), json: codes.json))
  }
}
