import Foundation

/// What a login leaves behind.
struct SavedLogin: Codable, Equatable {
  var url: String
  var token: String?
  var email: String?
  /// A file with the certificates of authorities that are trusted beside the machine's own.
  var ca: String?
}

/// Logins by name, one of which is the present one.
struct SavedContexts: Codable, Equatable {
  static let standard = "default"

  var current = Self.standard
  var logins: [String: SavedLogin] = [:]

  private enum CodingKeys: String, CodingKey {
    case current
    case logins = "contexts"
  }

  init() {}

  /// Also reads what held one login and no names.
  init(from decoder: any Decoder) throws {
    let fields = try decoder.container(keyedBy: CodingKeys.self)
    guard fields.contains(.logins) else {
      logins = [Self.standard: try SavedLogin(from: decoder)]
      return
    }
    current = try fields.decode(String.self, forKey: .current)
    logins = try fields.decode([String: SavedLogin].self, forKey: .logins)
  }

  func unknown(_ name: String) -> CommandFailure {
    let known = logins.keys.sorted()
    let nearest = Spelling.nearest(to: name, in: known).map { "did you mean \"\($0)\"?" }
    let advice = nearest ?? (known.isEmpty ? "there are none yet." : "there are \(known.joined(separator: ", ")).")
    return CommandFailure(.notFound, "There is no context \"\(name)\"; \(advice)")
  }
}

/// Which server a command talks to, and as whom: options before the environment before the file.
struct Settings: Sendable {
  let server: ServerAddress
  let token: String?
  /// Whether the token is the file's and not the environment's.
  let tokenIsSaved: Bool
  /// A file with certificates of authorities; nil for the machine's own alone.
  let ca: String?
  let file: ConfigurationFile

  /// A saved token goes to no server but the one that gave it.
  /// - Throws: `CommandFailure` when the file is not private or not ours, or the URL will not do.
  init(
    environment: [String: String], url: String?, allowInsecureHTTP: Bool, context: String? = nil, ca: String? = nil,
    isNewContext: Bool = false
  ) throws {
    // A context that was named goes before what the environment says of another server.
    let ignored = context == nil ? [] : ["IAAS_URL", "IAAS_TOKEN", "IAAS_CA"]
    func variable(_ name: String) -> String? {
      ignored.contains(name) ? nil : environment[name].flatMap { $0.isEmpty ? nil : $0 }
    }
    let allowed = allowInsecureHTTP || variable("IAAS_INSECURE_HTTP") == "1"
    file = ConfigurationFile(environment: environment, context: context)
    let known = try file.contexts()?.logins
    let isNew = isNewContext && file.chosen.map { known?[$0] == nil } ?? false
    let saved = isNew ? nil : try file.read()
    server = try ServerAddress(
      url ?? variable("IAAS_URL") ?? saved?.url ?? ServerAddress.standard, allowInsecureHTTP: allowed)
    let given = variable("IAAS_TOKEN")?.trimmingCharacters(in: .whitespacesAndNewlines)
    let source = saved.flatMap { try? ServerAddress($0.url, allowInsecureHTTP: true) }
    token = given ?? (source == server ? saved?.token : nil)
    // It is saved, and must be found from elsewhere too.
    self.ca =
      (ca ?? variable("IAAS_CA")).map { URL(fileURLWithPath: $0).path } ?? (source == server ? saved?.ca : nil)
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
