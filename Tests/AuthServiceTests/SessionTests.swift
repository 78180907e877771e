import Foundation
import Models
import Persistence
import Postgres
import Testing

@testable import AuthService

@Suite(.timeLimit(.minutes(5))) struct SessionTests {
  @Test func aSessionEndsWhenItIsNotUsed() async throws {
    try await AuthFixture.with(lifetimes: SessionLifetimes(idle: 600, absolute: 7200)) { fixture in
      let token = try await fixture.logIn("root", "root")
      try await fixture.pool.execute("UPDATE auth.sessions SET last_used_at = now() - interval '599 seconds'")
      _ = try await fixture.verify(token)
      // That use counts.
      try await fixture.pool.execute("UPDATE auth.sessions SET last_used_at = last_used_at - interval '599 seconds'")
      _ = try await fixture.verify(token)
      try await fixture.pool.execute("UPDATE auth.sessions SET last_used_at = now() - interval '601 seconds'")
      #expect(await code { _ = try await fixture.verify(token) } == .unauthenticated)
      try await fixture.sessions.sweep()
      #expect(
        try await fixture.pool.first("SELECT count(*) AS n FROM auth.sessions") { try $0("n", as: Int.self) } == 0)
    }
  }

  /// Fifty uses, each of which would keep it alive, do not bring it past its end.
  @Test func noUseBringsASessionPastItsEnd() async throws {
    try await AuthFixture.with(lifetimes: SessionLifetimes(idle: 600, absolute: 1000)) { fixture in
      let token = try await fixture.logIn("root", "root")
      var ended = 0
      for _ in 0..<50 {
        try await fixture.pool.execute(
          """
          UPDATE auth.sessions SET last_used_at = last_used_at - interval '25 seconds',
            expires_at = expires_at - interval '25 seconds'
          """)
        if await code({ _ = try await fixture.verify(token) }) == .unauthenticated { ended += 1 }
      }
      #expect(ended == 11)
    }
  }

  @Test func peopleSeeTheirSessionsAndEndThem() async throws {
    try await AuthFixture.with { fixture in
      let ana = try await fixture.add("ana")
      let (first, second) = (try await fixture.logIn("ana", from: "192.0.2.7"), try await fixture.logIn("ana"))
      let listed = try await fixture.authentication.list(ana)
      #expect(listed.count == 2 && listed[0].address == "192.0.2.7" && listed[0].client == "test")
      #expect(await code { try await fixture.authentication.logOut(listed[0].id, of: fixture.admin) } == .notFound)
      try await fixture.authentication.logOut(listed[0].id, of: ana)
      #expect(await code { _ = try await fixture.verify(first) } == .unauthenticated)
      _ = try await fixture.verify(second)
    }
  }

  /// A log-in whose password was compared before the account was disabled or the password changed opens nothing.
  @Test func aLogInThatRacesWithDisablementOpensNothing() async throws {
    try await AuthFixture.with { fixture in
      let ana = try await fixture.add("ana")
      let hash = try #require(try await fixture.users.credentials(of: ana.user)).hash
      _ = try await fixture.accounts.update(ana.user, UserUpdate(password: "another few words"), fixture.admin)
      #expect(try await fixture.sessions.open(for: ana.user, hash: hash, address: nil, client: nil) == nil)
      let new = try #require(try await fixture.users.credentials(of: ana.user)).hash
      _ = try await fixture.accounts.update(ana.user, UserUpdate(disabled: true), fixture.admin)
      #expect(try await fixture.sessions.open(for: ana.user, hash: new, address: nil, client: nil) == nil)
    }
  }

  @Test func theAuditLogKnowsWhoDidWhatAndForgetsNothing() async throws {
    try await AuthFixture.with { fixture in
      let ana = try await fixture.add("ana")
      let token = try await fixture.logIn("ana", from: "192.0.2.7")
      #expect(await code { _ = try await fixture.logIn("ana", "wrong", from: "192.0.2.8") } == .invalidCredentials)
      #expect(await code { _ = try await fixture.logIn("nobody", "wrong") } == .invalidCredentials)
      let vm = UUIDText.make()
      let intent = AuditIntent(action: "PUT /iaas/vms/{vm}", resource: vm, address: "192.0.2.7", requestID: "r1")
      let audit = try #require(try await fixture.verify(token, intent).audit)
      try await fixture.audit.conclude(audit, AuditConclusion(status: 200, resource: nil))
      // Once and for all.
      try await fixture.audit.conclude(audit, AuditConclusion(status: 500, resource: .make()))
      let log = try await fixture.audit.listing().all()
      #expect(log.map(\.status) == [201, 401, 401, 200] && log.map(\.actor) == [ana.user, nil, nil, ana.user])
      #expect(log[1].resource?.uuid == ana.user.uuid && log[2].resource == nil && log[3].resource == vm)
      for statement in ["DELETE FROM auth.audit", "UPDATE auth.audit SET status = 1", "TRUNCATE auth.audit"] {
        await #expect(throws: PostgresError.self) { try await fixture.pool.execute(.trusted(statement)) }
      }
      // Who was removed stays as a pseudonym, without their address.
      try await fixture.accounts.remove(ana.user, fixture.admin)
      let after = try await fixture.audit.listing().all()
      #expect(after.count == 4 && after[3].actor == ana.user && after[3].address == nil)
      let text = String(decoding: try JSONEncoder().encode(after), as: UTF8.self)
      #expect(!text.contains(AuthFixture.password) && !text.contains(token))
    }
  }

  @Test func aPersonsDataIsAllThereAndWithoutSecrets() async throws {
    try await AuthFixture.with { fixture in
      let ana = try await fixture.add("ana")
      _ = try await fixture.logIn("ana")
      let data = PersonalData(users: fixture.users, sessions: fixture.sessions, audit: fixture.audit)
      let export = try await data.export(ana.user, ana)
      #expect(export.user.email == "ana" && export.sessions.count == 1 && export.audit.count == 1)
      let text = String(decoding: try JSONEncoder().encode(export), as: UTF8.self)
      #expect(!text.contains("argon2") && !text.contains("hash"))
      #expect(await code { _ = try await data.export(fixture.admin.user, ana) } == .notFound)
    }
  }
}
