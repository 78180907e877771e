import Foundation
import Models
import Persistence
import TestSupport
import Testing

@testable import AuthService

@Suite(.timeLimit(.minutes(5))) struct AccountTests {
  @Test func theFirstAdministratorIsMadeOnceByManyAtOnce() async throws {
    try await AuthFixture.with { fixture in
      try await fixture.pool.execute("DELETE FROM auth.users")
      let accounts = fixture.accounts
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
    try await AuthFixture.with { fixture in
      let token = try await fixture.logIn("ROOT", "root")
      let verified = try await fixture.verify(token)
      #expect(verified.user.email == "root" && verified.user.admin && verified.user.lastLoginAt != nil)
      try await fixture.authentication.logOut(verified.session.id, of: fixture.admin)
      #expect(await code { _ = try await fixture.verify(token) } == .unauthenticated)
    }
  }

  @Test(arguments: [("root", "wrong"), ("nobody", "root"), ("root", ""), ("root\0", "root"), ("' OR 1=1 --", "x")])
  func whatDoesNotFitIsRefusedAlike(_ email: String, _ password: String) async throws {
    try await AuthFixture.with { fixture in
      #expect(await code { _ = try await fixture.logIn(email, password) } == .invalidCredentials)
    }
  }

  @Test func emailsAreUniqueInAnyCaseDecidedByTheDatabase() async throws {
    try await AuthFixture.with { fixture in
      let outcomes = await withTaskGroup(of: ErrorCode?.self) { group in
        for index in 0..<10 {
          group.addTask { await code { _ = try await fixture.add(index % 2 == 0 ? "Ana" : "ana") } }
        }
        return await group.reduce(into: [ErrorCode?]()) { $0.append($1) }
      }
      #expect(outcomes.filter { $0 == nil }.count == 1 && outcomes.filter { $0 == .conflict }.count == 9)
    }
  }

  @Test func othersSeeOnlyThemselvesAndManageNobody() async throws {
    try await AuthFixture.with { fixture in
      let ana = try await fixture.add("ana")
      let visible = try await fixture.accounts.list(ana).page(ListRequest(query: "email ILIKE '%'"))
      #expect(visible.items.map(\.id) == [ana.user] && visible.total == 1)
      for id in [fixture.admin.user, .make()] {
        #expect(await code { _ = try await fixture.accounts.get(id, ana) } == .notFound)
        #expect(await code { _ = try await fixture.accounts.update(id, UserUpdate(email: "x"), ana) } == .notFound)
      }
      #expect(await code { _ = try await fixture.accounts.add(fixture.newUser("eve"), asking(ana)) } == .forbidden)
      #expect(await code { try await fixture.accounts.remove(ana.user, ana) } == .forbidden)
    }
  }

  @Test func peopleChangeTheirOwnEmailAndPasswordAndNothingElse() async throws {
    try await AuthFixture.with { fixture in
      let ana = try await fixture.add("ana")
      let (accounts, old) = (fixture.accounts, AuthFixture.password)
      func update(_ update: UserUpdate) async -> ErrorCode? {
        await code { _ = try await accounts.update(ana.user, update, ana) }
      }
      #expect(await update(UserUpdate(email: "anna")) == .invalidField)
      #expect(await update(UserUpdate(email: "anna", currentPassword: "wrong")) == .forbidden)
      #expect(await update(UserUpdate(email: "ROOT", currentPassword: old)) == .conflict)
      #expect(await update(UserUpdate(email: "anna", currentPassword: old)) == nil)
      for reserved in [
        UserUpdate(admin: true), UserUpdate(disabled: true), UserUpdate(quota: Quota(limits: [.vms: .unlimited])),
      ] {
        #expect(await update(reserved) == .forbidden)
      }
      #expect(try await accounts.get(ana.user, ana).quota == Quota())
      let token = try await fixture.logIn("anna")
      #expect(await update(UserUpdate(password: "short", currentPassword: old)) == .invalidField)
      #expect(try await fixture.verify(token).user.email == "anna")
      #expect(await update(UserUpdate(password: "four quite small words", currentPassword: old)) == nil)
      #expect(await code { _ = try await fixture.verify(token) } == .unauthenticated)
      #expect(await code { _ = try await fixture.logIn("anna") } == .invalidCredentials)
      _ = try await fixture.logIn("anna", "four quite small words")
    }
  }

  @Test func administratorsSetWhatIsTheirs() async throws {
    try await AuthFixture.with { fixture in
      let ana = try await fixture.add("ana")
      let token = try await fixture.logIn("ana")
      let quota = Quota(limits: [.vms: .at(3), .mem: .unlimited])
      let changed = try await fixture.accounts.update(
        ana.user, UserUpdate(password: "an entirely new one", admin: true, quota: quota), fixture.admin)
      #expect(changed.user.admin && changed.user.quota == quota && changed.quotaRevision == 1)
      #expect(await code { _ = try await fixture.verify(token) } == .unauthenticated)
      // Their own password is theirs as anyone's.
      let own = UserUpdate(password: "something else again")
      #expect(
        await code { _ = try await fixture.accounts.update(fixture.admin.user, own, fixture.admin) } == .invalidField)
    }
  }

  @Test func anImportedHashIsReplacedByTheFirstLogIn() async throws {
    try await AuthFixture.with { fixture in
      let hash = "$pbkdf2-sha256$1000$c2FsdHNhbHQ$j2ZnRfVjHoymuBAWTFNTTJzUE9nvRnBv5XaQvGt72c0"
      let imported = NewUser(email: "old", password: nil, passwordHash: hash)
      _ = try await fixture.accounts.add(imported, asking(fixture.admin))
      #expect(await code { _ = try await fixture.logIn("old", "wrong") } == .invalidCredentials)
      #expect(try await fixture.users.credentials(email: "old")?.hash == hash)
      _ = try await fixture.logIn("old", "imported password")
      let upgraded = try await fixture.users.credentials(email: "old")?.hash
      #expect(upgraded?.hasPrefix(AuthFixture.cheap.prefix) == true)
      _ = try await fixture.logIn("old", "imported password")
      let nonsense = NewUser(email: "x", password: nil, passwordHash: "nonsense")
      #expect(await code { _ = try await fixture.accounts.add(nonsense, asking(fixture.admin)) } == .invalidField)
    }
  }

  @Test func anInvitationHoldsForAWeek() async throws {
    try await AuthFixture.with { fixture in
      let invitation = try await fixture.invitations.add(NewInvitation(expiresAt: nil), fixture.admin)
      let left = invitation.expiresAt.timeIntervalSinceNow
      #expect(abs(left - 7 * 86_400) < 60)
      let ana = try await fixture.add("ana")
      #expect(await code { _ = try await fixture.invitations.add(NewInvitation(expiresAt: nil), ana) } == .forbidden)
      let listed = try await fixture.invitations.list(fixture.admin).page(ListRequest())
      #expect(listed.items.map(\.id) == [invitation.id] && listed.items[0].code == nil)
    }
  }

  @Test func aDisabledAccountIsLikeAnUnknownOne() async throws {
    try await AuthFixture.with { fixture in
      let ana = try await fixture.add("ana")
      let token = try await fixture.logIn("ana")
      _ = try await fixture.accounts.update(ana.user, UserUpdate(disabled: true), fixture.admin)
      #expect(await code { _ = try await fixture.verify(token) } == .unauthenticated)
      #expect(await code { _ = try await fixture.logIn("ana") } == .invalidCredentials)
      _ = try await fixture.accounts.update(ana.user, UserUpdate(disabled: false), fixture.admin)
      #expect(await code { _ = try await fixture.verify(token) } == .unauthenticated)
      _ = try await fixture.logIn("ana")
    }
  }

  @Test func removingAUserEndsTheirSessions() async throws {
    try await AuthFixture.with { fixture in
      let ana = try await fixture.add("ana")
      let token = try await fixture.logIn("ana")
      try await fixture.accounts.remove(ana.user, fixture.admin)
      #expect(await code { _ = try await fixture.verify(token) } == .unauthenticated)
    }
  }

  /// Removed, demoted or disabled: of two who go at once, one stays.
  @Test func theLastEnabledAdministratorStaysAlsoWhenTwoGoAtOnce() async throws {
    try await AuthFixture.with { fixture in
      let (accounts, admin) = (fixture.accounts, fixture.admin)
      func go(_ way: Int, _ id: UserID) async -> ErrorCode? {
        await code {
          switch way {
          case 0: try await accounts.remove(id, admin)
          case 1: _ = try await accounts.update(id, UserUpdate(admin: false), admin)
          default: _ = try await accounts.update(id, UserUpdate(disabled: true), admin)
          }
        }
      }
      for way in 0..<3 { #expect(await go(way, admin.user) == .conflict) }
      for round in 0..<9 {
        let second = try await fixture.add("second \(round)", admin: true)
        async let one = go(round % 3, admin.user)
        async let two = go(round / 3, second.user)
        #expect(Set([await one, await two]) == [nil, .conflict])
        // The one who stayed makes room for the next round.
        try await fixture.pool.execute("DELETE FROM auth.users")
        try await fixture.pool.execute(
          """
          INSERT INTO auth.users (id, email, password_hash, admin) VALUES (\(admin.user.uuid), 'root', 'x', true)
          """)
      }
    }
  }

  @Test func registrationIsAsTheConfigurationSays() async throws {
    func register(_ fixture: AuthFixture, _ user: NewUser) async -> ErrorCode? {
      await code { _ = try await fixture.accounts.register(Visit(user, address: "192.0.2.1", client: nil)) }
    }
    try await AuthFixture.with { fixture in
      #expect(await register(fixture, fixture.newUser("ana")) == .unauthenticated)
    }
    try await AuthFixture.with(registration: .open) { fixture in
      #expect(await register(fixture, fixture.newUser("ana")) == nil)
      #expect(await register(fixture, fixture.newUser("eve", admin: true)) == .forbidden)
      #expect(await register(fixture, NewUser(email: "eve", password: "password1234")) == .invalidField)
      let ana = try await fixture.users.credentials(email: "ana")
      #expect(ana?.user.admin == false)
    }
    try await AuthFixture.with(registration: .invite) { fixture in
      #expect(await register(fixture, fixture.newUser("ana")) == .forbidden)
      let invitation = try await fixture.invitations.add(NewInvitation(expiresAt: nil), fixture.admin)
      var user = fixture.newUser("ana")
      user.invitation = "WRONG"
      #expect(await register(fixture, user) == .forbidden)
      user.invitation = invitation.code
      // What fails does not use the invitation up.
      var taken = user
      taken.email = "root"
      #expect(await register(fixture, taken) == .conflict)
      let outcomes = await withTaskGroup(of: ErrorCode?.self) { group in
        for number in 0..<8 {
          var one = user
          one.email = "ana \(number)"
          group.addTask { [one] in await register(fixture, one) }
        }
        return await group.reduce(into: [ErrorCode?]()) { $0.append($1) }
      }
      #expect(
        outcomes.filter { $0 == nil }.count == 1 && outcomes.filter { $0 == .forbidden }.count == 7, "\(outcomes)")
      let ended = try await fixture.invitations.add(
        NewInvitation(expiresAt: Date().addingTimeInterval(60)), fixture.admin)
      // As if the time had passed.
      try await fixture.pool.execute("UPDATE auth.invitations SET expires_at = now()")
      user.invitation = ended.code
      #expect(await register(fixture, user) == .forbidden)
    }
  }

  @Test func aUserIsAddedOnceUnderAKeyWhateverThePassword() async throws {
    try await AuthFixture.with { fixture in
      func add(_ email: String, _ password: String) async throws -> UserID {
        try await fixture.accounts.add(
          NewUser(email: email, password: password), asking(fixture.admin, key: "k")
        ).id
      }
      let first = try await add("eve", "three small words")
      let second = try await add("eve", "four other small words")
      #expect(first == second)
      #expect(await code { _ = try await add("mallory", "three small words") } == .invalidField)
      #expect(try await fixture.accounts.users.names(UserLookup(emails: ["eve", "mallory"])).count == 1)
    }
  }

  @Test func theListOfMigrationsIsTheFolder() throws {
    let folder = TestEnvironment.root.appendingPathComponent("Services/auth-service/Migrations").path
    let files = try FileManager.default.contentsOfDirectory(atPath: folder).sorted()
    #expect(files == authMigrator.migrations.map { "\($0.name).sql" })
  }
}
