import Crypto
import Foundation
import Models
import Persistence
import Postgres
import ServiceKit
import TestSupport
import Testing

@testable import AuthService

/// auth-service over a database of its own, with one administrator, `root`.
struct AuthFixture: Sendable {
  let pool: PostgresPool
  let accounts: Accounts
  let authentication: Authentication
  let sessions: SessionStore
  let invitations: Invitations
  let audit: AuditStore
  let users: UserStore
  let admin: Caller

  static let password = "three small words"
  static let cheap = Argon2Parameters(memoryKiB: 64, passes: 1, lanes: 1)

  static func with(
    lifetimes: SessionLifetimes = SessionLifetimes(idle: 3600, absolute: 7200),
    registration: RegistrationMode = .closed, accountLimit: Int = 1000, addressLimit: Int = 1000,
    parameters: Argon2Parameters = cheap, _ body: (AuthFixture) async throws -> Void
  ) async throws {
    try await TestDatabase.with(authMigrator) { pool, _ in
      let hasher = PasswordHasher(parameters: parameters, slots: 2, queueLimit: 256)
      let (users, audit) = (UserStore(pool: pool), AuditStore(pool: pool))
      let sessions = SessionStore(pool: pool, lifetimes: lifetimes)
      let attempts = LoginGuard(
        store: AttemptStore(pool: pool), accountLimit: accountLimit, addressLimit: addressLimit)
      let secondFactor = SecondFactor(
        store: SecondFactorStore(pool: pool), seal: SealBox(key: SymmetricKey(size: .bits256), purpose: "t"),
        issuer: "test")
      let accounts = Accounts(
        users: users, hasher: hasher, policy: PasswordPolicy(minimum: 12), attempts: attempts,
        secondFactor: secondFactor, registration: registration)
      #expect(try await accounts.addFirst(email: "root", password: "root") == nil)
      let first = try #require(try await users.credentials(email: "root"))
      try await body(
        AuthFixture(
          pool: pool, accounts: accounts,
          authentication: Authentication(
            users: users, sessions: sessions, hasher: hasher,
            tokens: TokenSealer(keys: TokenKeys(keys: [SymmetricKey(size: .bits256)])), attempts: attempts,
            secondFactor: secondFactor, audit: audit),
          sessions: sessions, invitations: Invitations(store: InvitationStore(pool: pool)), audit: audit, users: users,
          admin: Caller(user: first.user.id, admin: true)))
    }
  }

  func newUser(_ email: String, admin: Bool = false) -> NewUser {
    NewUser(email: email, password: Self.password, admin: admin)
  }

  func add(_ email: String, admin isAdmin: Bool = false) async throws -> Caller {
    Caller(user: try await accounts.add(newUser(email, admin: isAdmin), asking(admin)).id, admin: isAdmin)
  }

  func logIn(
    _ email: String, _ password: String = password, otp: String? = nil, from address: String? = nil
  ) async throws -> String {
    let request = LoginRequest(email: email, password: password, otp: otp)
    return try await authentication.logIn(Visit(request, address: address, client: "test"), requestID: "r").token
  }

  func verify(_ token: String, _ intent: AuditIntent? = nil) async throws -> VerifiedSession {
    try await authentication.verify(Presented(token: token, intent: intent))
  }
}

func code(_ body: () async throws -> Void) async -> ErrorCode? {
  do { try await body() } catch let error as ServiceError { return error.code } catch {}
  return nil
}

/// Someone who asks, under a key or not.
func asking(_ caller: Caller, key: String? = nil) -> RequestOrigin {
  RequestOrigin(caller: caller, requestID: "r", idempotencyKey: key)
}
