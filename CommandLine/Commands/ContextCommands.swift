import ArgumentParser
import Foundation
import Models

struct ContextCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "context", abstract: "Saved logins, one for each server or account.",
    discussion: """
      The present one is used by every command, unless --context or IAAS_CONTEXT names another.

      Example: iaas context add lab --url https://iaas.lab.example.org && iaas login ana --context lab
      """,
    subcommands: [ListContexts.self, AddContext.self, UseContext.self, RemoveContext.self])
}

/// How a command prints that asks no server.
struct PrintingOptions: ParsableArguments {
  @Option(
    name: [.customShort("o"), .customLong("output")],
    help: ArgumentHelp("How to print the result.", valueName: "format"))
  var format = OutputFormat.table
}

/// What the commands here have in common: they change the file and ask no server.
protocol ContextVerb: AsyncParsableCommand {
  var printing: PrintingOptions { get }
  func run(_ file: ConfigurationFile, _ output: Output) throws
}

extension ContextVerb {
  func run() async throws {
    try run(
      ConfigurationFile(environment: ProcessInfo.processInfo.environment),
      Output(format: printing.format, console: ProcessConsole()))
  }
}

/// A saved login, as it is shown; never with its token.
struct ContextView: Codable, Presentable {
  static let columns: [Column<Self>] = [
    Column("present") { $0.isCurrent ? "*" : "" }, Column("name") { $0.name }, Column("server") { $0.url },
    Column("account") { $0.email }, Column("logged in") { $0.isLoggedIn ? "yes" : "no" },
  ]

  let name: String
  let url: String
  let email: String?
  let ca: String?
  let isCurrent: Bool
  let isLoggedIn: Bool

  var shortName: String { name }

  static func all(_ saved: SavedContexts) -> [ContextView] {
    saved.logins.sorted { $0.key < $1.key }.map { name, login in
      ContextView(
        name: name, url: login.url, email: login.email, ca: login.ca, isCurrent: name == saved.current,
        isLoggedIn: login.token != nil)
    }
  }
}

struct ListContexts: ContextVerb {
  static let configuration = CommandConfiguration(
    commandName: "ls", abstract: "List the saved logins.", discussion: "Example: iaas context ls", aliases: ["list"])

  @OptionGroup var printing: PrintingOptions

  func run(_ file: ConfigurationFile, _ output: Output) throws {
    try output.list(made: ContextView.all(try file.contexts() ?? SavedContexts()))
  }
}

struct AddContext: ContextVerb {
  static let configuration = CommandConfiguration(
    commandName: "add", abstract: "Save a server under a name, and use it.",
    discussion: "Example: iaas context add lab --url https://iaas.lab.example.org --ca lab.pem")

  @OptionGroup var printing: PrintingOptions

  @Argument(help: "What to call it.")
  var name: String

  @Option(help: "The server.")
  var url: String

  @Option(help: ArgumentHelp("A file with certificates (PEM) of authorities to trust, too.", valueName: "file"))
  var ca: String?

  @Flag(name: .customLong("insecure-http"), help: "Allow plain http to another machine.")
  var insecureHTTP = false

  func validate() throws {
    guard name.wholeMatch(of: /[A-Za-z0-9][A-Za-z0-9_.@-]{0,63}/) != nil else {
      throw ValidationError("A context is called by letters, digits, and - _ . @, at most 64.")
    }
  }

  func run(_ file: ConfigurationFile, _ output: Output) throws {
    let server = try ServerAddress(url, allowInsecureHTTP: insecureHTTP)
    var saved = try file.contexts() ?? SavedContexts()
    guard saved.logins[name] == nil else {
      throw CommandFailure(
        .conflict, "There is a context \"\(name)\" already. Remove it first: iaas context rm \(name)")
    }
    let path = ca.map { URL(fileURLWithPath: $0).path }
    saved.logins[name] = SavedLogin(url: "\(server)", token: nil, email: nil, ca: path)
    saved.current = name
    try file.write(saved)
    try output.note(
      "Using \(server) as \(name). Log in: iaas login EMAIL", name: name, members: ["name": name, "url": "\(server)"])
  }
}

struct UseContext: ContextVerb {
  static let configuration = CommandConfiguration(
    commandName: "use", abstract: "Make a saved login the present one.", discussion: "Example: iaas context use lab")

  @OptionGroup var printing: PrintingOptions

  @Argument(help: "Its name.")
  var name: String

  func run(_ file: ConfigurationFile, _ output: Output) throws {
    var saved = try file.contexts() ?? SavedContexts()
    guard let login = saved.logins[name] else { throw saved.unknown(name) }
    saved.current = name
    try file.write(saved)
    try output.note("Using \(login.url) as \(name).", name: name, members: ["name": name, "url": login.url])
  }
}

struct RemoveContext: ContextVerb {
  static let configuration = CommandConfiguration(
    commandName: "rm", abstract: "Forget a saved login.",
    discussion: """
      Its session goes on at the server; iaas logout ends it first.

      Example: iaas context rm lab
      """)

  @OptionGroup var printing: PrintingOptions

  @Argument(help: "Its name.")
  var name: String

  func run(_ file: ConfigurationFile, _ output: Output) throws {
    var saved = try file.contexts() ?? SavedContexts()
    guard saved.logins.removeValue(forKey: name) != nil else { throw saved.unknown(name) }
    let wasCurrent = saved.current == name
    if wasCurrent { saved.current = SavedContexts.standard }
    try file.write(saved)
    let advice = wasCurrent && !saved.logins.isEmpty ? " None is the present one now: iaas context use NAME" : ""
    try output.note("Forgot \(name).\(advice)", name: name, members: ["name": name])
  }
}
