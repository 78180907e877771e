import Foundation

/// What a login leaves behind.
struct SavedLogin: Codable, Equatable {
  var url: String
  var token: String?
  var email: String?
}

/// Which server a command talks to, and as whom: options before the environment before the file.
struct Settings: Sendable {
  let server: ServerAddress
  let token: String?
  /// Whether the token is the file's and not the environment's.
  let tokenIsSaved: Bool
  let file: ConfigurationFile

  /// A saved token goes to no server but the one that gave it.
  /// - Throws: `CommandFailure` when the file is not private or not ours, or the URL will not do.
  init(environment: [String: String], url: String?, allowInsecureHTTP: Bool) throws {
    func variable(_ name: String) -> String? { environment[name].flatMap { $0.isEmpty ? nil : $0 } }
    let allowed = allowInsecureHTTP || variable("IAAS_INSECURE_HTTP") == "1"
    file = ConfigurationFile(environment: environment)
    let saved = try file.read()
    server = try ServerAddress(
      url ?? variable("IAAS_URL") ?? saved?.url ?? ServerAddress.standard, allowInsecureHTTP: allowed)
    let given = variable("IAAS_TOKEN")?.trimmingCharacters(in: .whitespacesAndNewlines)
    let source = saved.flatMap { try? ServerAddress($0.url, allowInsecureHTTP: true) }
    token = given ?? (source == server ? saved?.token : nil)
    tokenIsSaved = given == nil && token != nil
    guard token.map(Token.isPlausible) ?? true else {
      throw CommandFailure(.usage, "The token in \(given == nil ? file.path : "IAAS_TOKEN") is not one.")
    }
  }

  /// Whether the token is the environment's, which no command can take away.
  var tokenIsGiven: Bool { token != nil && !tokenIsSaved }

  /// Forgets the token if it is a saved one; the server is remembered.
  func forgetToken() throws {
    guard tokenIsSaved, var saved = try file.read() else { return }
    saved.token = nil
    try file.write(saved)
  }
}
