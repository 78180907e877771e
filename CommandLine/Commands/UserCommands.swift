import ArgumentParser
import Models

struct UserCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "user", abstract: "People who may log in.", discussion: "Example: iaas user list",
    subcommands: [
      ListCommand<UserView>.self, ShowCommand<UserView>.self, AddUser.self, UpdateUser.self, SetPassword.self,
      UserQuota.self, ShowQuotaEvents.self, ExportUser.self, RemoveUser.self,
    ])
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
    let password = try secret.readNew(context.console, prompt: "Password of \(email)")
    let user = NewUser(email: email, password: password, admin: admin)
    try await context.change(.send(.post, UserView.collectionPath, user), UserView.self, wait, output(context))
  }
}

struct UpdateUser: Verb {
  static let configuration = CommandConfiguration(
    commandName: "update", abstract: "Change a person's e-mail address or standing.",
    discussion: """
      A disabled person cannot log in, and has no sessions. Your own e-mail address needs your password.

      Example: iaas user update ana@example.org --disabled true
      """)

  @OptionGroup var common: CommonOptions

  @Argument(help: "Id, beginning of the id, or e-mail address of the person.")
  var user: String

  @Option(help: "The address, or other name, to log in with from now on.")
  var email: String?

  @Option(help: ArgumentHelp("Whether the person is an administrator.", valueName: "true|false"))
  var admin: Bool?

  @Option(help: ArgumentHelp("Whether the person is kept out.", valueName: "true|false"))
  var disabled: Bool?

  @OptionGroup var current: CurrentPasswordOptions

  func validate() throws {
    guard email != nil || admin != nil || disabled != nil else {
      throw ValidationError("Give --email, --admin or --disabled.")
    }
  }

  func run(in context: CommandContext) async throws {
    let id = try await context.resolver.id(user, of: UserView.self)
    let isOwn = if email == nil { false } else { try await context.me().value.id == id }
    let password = isOwn ? try current.read(context.console) : nil
    let update = UserUpdate(email: email, currentPassword: password, admin: admin, disabled: disabled)
    let updated: Fetched<UserView> = try context.client.decode(
      try await context.client.send(.send(.put, UserView.path(id), update)))
    try output(context).object(updated)
  }
}

struct SetPassword: Verb {
  static let configuration = CommandConfiguration(
    commandName: "password", abstract: "Set another person's password.",
    discussion: """
      It ends all sessions of that person.

      Example: iaas user password ana@example.org --password-file ana.txt
      """)

  @OptionGroup var common: CommonOptions

  @Argument(help: "Id, beginning of the id, or e-mail address of the person.")
  var user: String

  @OptionGroup var secret: PasswordOptions

  func run(in context: CommandContext) async throws {
    let person = try await context.resolver.object(user, of: UserView.self)
    guard try await context.me().value.id != person.id else {
      throw CommandFailure(.usage, "\(person.email) is you. Change your own password with: iaas password")
    }
    let password = try secret.readNew(context.console, prompt: "New password of \(person.email)")
    _ = try await context.client.send(.send(.put, UserView.path(person.id), UserUpdate(password: password)))
    try output(context).note(
      "The password of \(person.label) is changed, and all sessions of theirs have ended.", name: person.email,
      members: ["email": person.email, "id": "\(person.id)"])
  }
}

struct ExportUser: Verb {
  static let configuration = CommandConfiguration(
    commandName: "export", abstract: "Print all that is held about a person, as JSON.",
    discussion: "Example: iaas user export ana@example.org > ana.json")

  @OptionGroup var common: CommonOptions

  @Argument(help: "Id, beginning of the id, or e-mail address of the person.")
  var user: String

  func run(in context: CommandContext) async throws {
    let id = try await context.resolver.id(user, of: UserView.self)
    let document = try await context.client.get(JSONDocument.self, "\(UserView.path(id))/export")
    try output(context).document(document.json)
  }
}

struct RemoveUser: Verb {
  static let configuration = CommandConfiguration(
    commandName: "rm", abstract: "Remove a person, with what nobody else owns of theirs.",
    discussion: "Example: iaas user rm ana@example.org -y")

  @OptionGroup var common: CommonOptions
  @OptionGroup var wait: WaitOptions

  @Argument(help: "Id, beginning of the id, or e-mail address of the person.")
  var user: String

  @OptionGroup var confirmation: ConfirmationOptions

  func run(in context: CommandContext) async throws {
    let id = try await confirmation.removal(of: user, UserView.self, in: context) { person in
      let usage = try await context.client.get(UsageView.self, "\(UserView.path(person.id))/usage").value.held
      let parts = [("vms", "VMs"), ("images", "images")].compactMap { member, noun in
        usage[member].flatMap { $0 > 0 ? "\($0) \(noun)" : nil }
      }
      guard !parts.isEmpty else { return nil }
      return "with all of their \(parts.joined(separator: " and ")) that nobody else owns"
    }
    try await context.remove(id, as: user, UserView.self, wait, output(context))
  }
}

/// What somebody holds.
struct UsageView: Decodable, Sendable {
  let held: [String: Int64]
}
