import Foundation
import Logging
import Models
import Persistence
import Postgres
import ServiceKit
import ServiceLifecycle

/// The composition root of auth-service.
public enum AuthServiceApplication {
  /// Makes what lives as long as the process.
  public static func build(_ settings: Settings, _ logger: Logger) async throws -> [any Service] {
    let listen = try ListenSettings(settings, defaultPort: 7001)
    let credentials = try ServiceCredentials(settings)
    let tokens = TokenSealer(key: try KeyFile.load(path: try settings.required("token.keys")))
    let lifetime = try settings.integer("session.lifetime", default: 604_800, in: 60...31_536_000)
    let cores = ProcessInfo.processInfo.activeProcessorCount
    let hasher = PasswordHasher(parameters: Argon2Parameters(), slots: cores, queueLimit: cores * 32)
    let pool = try await Database.open(settings, migrator: authMigrator, logger: logger)

    let users = UserStore(pool: pool)
    let sessions = SessionStore(pool: pool)
    let accounts = Accounts(users: users, hasher: hasher)
    try await addFirstAdministrator(to: accounts, settings)
    let routes = AuthRoutes(
      authentication: Authentication(
        users: users, sessions: sessions, hasher: hasher, tokens: tokens, sessionLifetime: lifetime),
      accounts: accounts, credentials: credentials
    ).routes
    return [
      SessionSweeper(sessions: sessions, logger: logger),
      try HTTPServer.make(routes, listen: listen, name: "auth-service", tls: nil, logger: logger),
    ]
  }

  /// `admin.email` (default `admin`), and `admin.password.file` or, where that is not given, a random password shown
  /// once.
  private static func addFirstAdministrator(to accounts: Accounts, _ settings: Settings) async throws {
    let email = settings.optional("admin.email") ?? "admin"
    let given = settings.optional("admin.password.file") == nil ? nil : try settings.contents("admin.password.file")
    if let password = try await accounts.addFirst(email: email, password: given) {
      print("The first administrator is \(email), with the password \(password). It is not shown again.")
    }
  }
}
