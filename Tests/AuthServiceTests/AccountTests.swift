import Crypto
import Foundation
import Models
import Persistence
import Postgres
import TestSupport
import Testing

@testable import AuthService

@Suite(.timeLimit(.minutes(2))) struct AccountTests {
  private struct Fixture {
    let accounts: Accounts
    let authentication: Authentication
    let sessions: SessionStore
    let admin: Caller
  }

  private func withAccounts(_ body: (Fixture) async throws -> Void) async throws {
    try await TestDatabase.with(authMigrator) { pool, _ in
      let hasher = PasswordHasher(
        parameters: Argon2Parameters(memoryKiB: 64, passes: 1, lanes: 1), slots: 2, queueLimit: 64)
      let (users, sessions) = (UserStore(pool: pool), SessionStore(pool: pool))
      let accounts = Accounts(users: users, hasher: hasher)
      #expect(try await accounts.addFirst(email: "root", password: "root") == nil)
      let first = try #require(try await users.credentials(email: "root"))
      try await body(
        Fixture(
          accounts: accounts,
          authentication: Authentication(
            users: users, sessions: sessions, hasher: hasher, tokens: TokenSealer(key: SymmetricKey(size: .bits256)),
            sessionLifetime: 3600),
          sessions: sessions, admin: Caller(user: first.user.id, admin: true)))
    }
  }

  private func code(_ body: () async throws -> Void) async -> ErrorCode? {
    do { try await body() } catch let error as ServiceError { return error.code } catch {}
    return nil
  }

  private func newUser(_ email: String, admin: Bool = false) -> NewUser {
    NewUser(email: email, password: "a password", admin: admin)
  }

  @Test func theFirstAdministratorIsMadeOnceByManyAtOnce() async throws {
    try await TestDatabase.with(authMigrator) { pool, _ in
      let hasher = PasswordHasher(
        parameters: Argon2Parameters(memoryKiB: 64, passes: 1, lanes: 1), slots: 2, queueLimit: 64)
      let accounts = Accounts(users: UserStore(pool: pool), hasher: hasher)
      let made = try await withThrowingTaskGroup(of: String?.self) { group in
        for _ in 0..<8 { group.addTask { try await accounts.addFirst(email: "admin", password: nil) } }
        return try await group.reduce(into: [String]()) { if let password = $1 { $0.append(password) } }
      }
      #expect(made.count == 1 && made.first?.count == 20)
      let everyone = try await accounts.list(Caller(user: .make(), admin: true)).page(ListRequest())
      #expect(everyone.items.count == 1 && everyone.total == 1)
    }
  }

  @Test func logInGivesATokenAndLogOutEndsIt() async throws {
    try await withAccounts { fixture in
      let token = try await fixture.authentication.logIn(LoginRequest(email: "ROOT", password: "root")).token
      let verified = try await fixture.authentication.verify(token)
      #expect(verified.user.email == "root" && verified.user.admin && verified.user.lastLoginAt != nil)
      try await fixture.authentication.logOut(verified.session.id, of: fixture.admin)
      #expect(await code { _ = try await fixture.authentication.verify(token) } == .unauthenticated)
    }
  }

  @Test(arguments: [("root", "wrong"), ("nobody", "root"), ("root", ""), ("root\0", "root"), ("' OR 1=1 --", "x")])
  func whatDoesNotFitIsRefusedAlike(_ email: String, _ password: String) async throws {
    try await withAccounts { fixture in
      let refusal = await code {
        _ = try await fixture.authentication.logIn(LoginRequest(email: email, password: password))
      }
      #expect(refusal == .invalidCredentials)
    }
  }

  @Test func emailsAreUniqueInAnyCaseDecidedByTheDatabase() async throws {
    try await withAccounts { fixture in
      let outcomes = await withTaskGroup(of: ErrorCode?.self) { group in
        for index in 0..<10 {
          group.addTask {
            await code { _ = try await fixture.accounts.add(newUser(index % 2 == 0 ? "Ana" : "ana"), fixture.admin) }
          }
        }
        return await group.reduce(into: [ErrorCode?]()) { $0.append($1) }
      }
      #expect(outcomes.filter { $0 == nil }.count == 1 && outcomes.filter { $0 == .conflict }.count == 9)
    }
  }

  @Test func othersSeeOnlyThemselvesAndManageNobody() async throws {
    try await withAccounts { fixture in
      let ana = try await fixture.accounts.add(newUser("ana"), fixture.admin)
      let caller = Caller(user: ana.id, admin: false)
      let visible = try await fixture.accounts.list(caller).page(ListRequest(query: "email ILIKE '%'"))
      #expect(visible.items.map(\.id) == [ana.id] && visible.total == 1)
      #expect(await code { _ = try await fixture.accounts.get(fixture.admin.user, caller) } == .notFound)
      #expect(await code { _ = try await fixture.accounts.get(.make(), caller) } == .notFound)
      #expect(await code { _ = try await fixture.accounts.add(newUser("eve"), caller) } == .forbidden)
      #expect(await code { try await fixture.accounts.remove(ana.id, caller) } == .forbidden)
    }
  }

  @Test func removingAUserEndsTheirSessions() async throws {
    try await withAccounts { fixture in
      let ana = try await fixture.accounts.add(newUser("ana"), fixture.admin)
      let token = try await fixture.authentication.logIn(LoginRequest(email: "ana", password: "a password")).token
      try await fixture.accounts.remove(ana.id, fixture.admin)
      #expect(await code { _ = try await fixture.authentication.verify(token) } == .unauthenticated)
    }
  }

  @Test func theLastAdministratorStaysAlsoWhenTwoAreRemovedAtOnce() async throws {
    try await withAccounts { fixture in
      #expect(await code { try await fixture.accounts.remove(fixture.admin.user, fixture.admin) } == .conflict)
      let second = try await fixture.accounts.add(newUser("second", admin: true), fixture.admin)
      async let one = code { try await fixture.accounts.remove(fixture.admin.user, fixture.admin) }
      async let two = code { try await fixture.accounts.remove(second.id, fixture.admin) }
      #expect(Set([await one, await two]) == [nil, .conflict])
    }
  }

  @Test func anExpiredSessionIsOver() async throws {
    try await withAccounts { fixture in
      let session = try await fixture.sessions.open(for: fixture.admin.user, lifetimeSeconds: -1)
      #expect(try await fixture.sessions.verify(session.id, of: fixture.admin.user) == nil)
      try await fixture.sessions.sweep()
      #expect(try await fixture.sessions.end(session.id, of: fixture.admin.user) == false)
    }
  }

  @Test func theListOfMigrationsIsTheFolder() throws {
    let folder = TestEnvironment.root.appendingPathComponent("Services/auth-service/Migrations").path
    let files = try FileManager.default.contentsOfDirectory(atPath: folder).sorted()
    #expect(files == authMigrator.migrations.map { "\($0.name).sql" })
  }
}
