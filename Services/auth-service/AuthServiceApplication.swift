import Configuration
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
    let tokens = TokenSealer(keys: try TokenKeys(path: try settings.required("token.keys")))
    let hasher = try passwordHasher(settings)
    let lifetimes = SessionLifetimes(
      idle: try settings.integer("session.idle", default: 43_200, in: 1...31_536_000),
      absolute: try settings.integer("session.lifetime", default: 604_800, in: 1...31_536_000))
    let policy = PasswordPolicy(minimum: try settings.integer("password.minimum", default: 12, in: 1...128))
    let seal = SealBox(
      key: try KeyFile.load(path: try settings.required("seal.key")), purpose: "swift-iaas second factor v1")
    let registration = try settings.choice("registration", default: RegistrationMode.closed)
    let accountLimit = try settings.integer("login.account.limit", default: 5, in: 1...1_000_000)
    let addressLimit = try settings.integer("login.address.limit", default: 50, in: 1...1_000_000)
    let pool = try await Database.open(settings, migrator: authMigrator, logger: logger)

    let users = UserStore(pool: pool)
    let sessions = SessionStore(pool: pool, lifetimes: lifetimes)
    let audit = AuditStore(pool: pool)
    let attemptStore = AttemptStore(pool: pool)
    let attempts = LoginGuard(store: attemptStore, accountLimit: accountLimit, addressLimit: addressLimit)
    let invitations = InvitationStore(pool: pool)
    let secondFactor = SecondFactor(
      store: SecondFactorStore(pool: pool), seal: seal, issuer: settings.optional("issuer") ?? "iaas")
    let accounts = Accounts(
      users: users, hasher: hasher, policy: policy, attempts: attempts, secondFactor: secondFactor,
      registration: registration)
    try await addFirstAdministrator(to: accounts, settings)
    let routes = AuthRoutes(
      authentication: Authentication(
        users: users, sessions: sessions, hasher: hasher, tokens: tokens, attempts: attempts,
        secondFactor: secondFactor,
        audit: audit),
      accounts: accounts, invitations: Invitations(store: invitations),
      personalData: PersonalData(users: users, sessions: sessions, audit: audit), audit: audit, credentials: credentials
    ).routes
    return [
      AuthSweeper(sessions: sessions, attempts: attemptStore, invitations: invitations, logger: logger),
      try HTTPServer.make(routes, listen: listen, name: "auth-service", tls: nil, logger: logger),
    ]
  }

  /// Puts a new key of tokens into the file that `IAAS_TOKEN_KEYS` names; running services take it up by themselves.
  public static func rotateKeys(_ settings: Settings) throws -> String {
    try TokenKeys.rotate(path: try settings.required("token.keys"))
  }

  /// `argon2.memory.kib`, `argon2.passes` and `argon2.lanes`, of which OWASP's are the least, and `password.pepper.file`.
  private static func passwordHasher(_ settings: Settings) throws -> PasswordHasher {
    let least = Argon2Parameters()
    func parameter(_ key: ConfigKey, _ least: UInt32, _ most: Int) throws -> UInt32 {
      UInt32(try settings.integer(key, default: Int(least), in: Int(least)...most))
    }
    let parameters = Argon2Parameters(
      memoryKiB: try parameter("argon2.memory.kib", least.memoryKiB, 4_194_304),
      passes: try parameter("argon2.passes", least.passes, 100), lanes: try parameter("argon2.lanes", least.lanes, 64))
    let pepper = try settings.optional("password.pepper.file").map { path in
      // Never made anew in silence: without the old one no password fits.
      guard FileManager.default.fileExists(atPath: path) else {
        throw SettingsError(
          "IAAS_PASSWORD_PEPPER_FILE names \(path), which is not there (openssl rand -base64 32 makes one).")
      }
      return try KeyFile.load(path: path)
    }
    let cores = ProcessInfo.processInfo.activeProcessorCount
    return PasswordHasher(parameters: parameters, pepper: pepper, slots: cores, queueLimit: cores * 32)
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
