import Foundation
import Models
import Postgres
import Testing

@testable import AuthService

@Suite(.timeLimit(.minutes(5))) struct GuessingTests {
  @Test func aHundredParallelGuessesEvaluateNoMoreThanTheLimit() async throws {
    try await AuthFixture.with(accountLimit: 5) { fixture in
      _ = try await fixture.add("ana")
      for account in ["ana", "nobody"] {
        let codes = await withTaskGroup(of: ErrorCode?.self) { group in
          for number in 0..<100 {
            group.addTask { await code { _ = try await fixture.logIn(account, "guess \(number)") } }
          }
          return await group.reduce(into: [ErrorCode?]()) { $0.append($1) }
        }
        // Known or unknown, it looks the same.
        #expect(codes.filter { $0 == .invalidCredentials }.count == 5, "\(account)")
        #expect(codes.filter { $0 == .tooManyRequests }.count == 95, "\(account)")
      }
    }
  }

  /// The right password, many times at once, is no guessing.
  @Test func rightPasswordsAtOnceAreAllTaken() async throws {
    try await AuthFixture.with(accountLimit: 50) { fixture in
      let codes = await withTaskGroup(of: ErrorCode?.self) { group in
        for _ in 0..<24 { group.addTask { await code { _ = try await fixture.logIn("root", "root") } } }
        return await group.reduce(into: [ErrorCode?]()) { $0.append($1) }
      }
      #expect(codes.allSatisfy { $0 == nil }, "\(codes)")
    }
  }

  @Test func theWaitGrowsAndTheRightPasswordWaitsToo() async throws {
    try await AuthFixture.with(accountLimit: 3) { fixture in
      let ana = try await fixture.add("ana")
      let token = try await fixture.logIn("ana")
      var waits: [Int] = []
      for _ in 0..<8 {
        do { _ = try await fixture.logIn("ana", "wrong") } catch let error as ServiceError {
          if let seconds = error.retryAfter {
            waits.append(seconds)
            #expect(error.rateLimit == 3)
            // As if the time had passed.
            try await fixture.pool.execute("UPDATE auth.attempts SET blocked_until = now()")
          }
        }
      }
      // Less the seconds that have passed since.
      #expect(waits.count > 1 && zip([5, 10, 20, 40, 80], waits).allSatisfy { ($0 - 4...$0).contains($1) }, "\(waits)")
      _ = await code { _ = try await fixture.logIn("ana", "wrong") }
      _ = await code { _ = try await fixture.logIn("ana", "wrong") }
      #expect(await code { _ = try await fixture.logIn("ana") } == .tooManyRequests)
      // Who is logged in stays so.
      #expect(try await fixture.verify(token).user.id == ana.user)
      try await fixture.pool.execute("UPDATE auth.attempts SET blocked_until = now()")
      _ = try await fixture.logIn("ana")
      // Success begins anew.
      for _ in 0..<2 { #expect(await code { _ = try await fixture.logIn("ana", "x") } == .invalidCredentials) }
    }
  }

  @Test func theWaitHasALongestAndAnHourForgetsAll() async throws {
    try await AuthFixture.with { fixture in
      let store = AttemptStore(pool: fixture.pool)
      func row() async throws -> (wait: Double, failures: Int) {
        try #require(
          try await fixture.pool.first(
            "SELECT extract(epoch FROM blocked_until - last_at)::float8 AS wait, failures FROM auth.attempts WHERE key = 'k'"
          ) { (try $0("wait", as: Double.self), try $0("failures", as: Int.self)) })
      }
      var waits: [Double] = []
      for number in 1...12 {
        #expect(try await store.begin("k", limit: 3) == 0)
        if number >= 3 { waits.append(try await row().wait) }
        try await fixture.pool.execute("UPDATE auth.attempts SET blocked_until = now()")
      }
      #expect(waits == [5, 10, 20, 40, 80, 160, 320, 640, 900, 900])
      try await fixture.pool.execute("UPDATE auth.attempts SET last_at = now() - interval '3599 seconds'")
      #expect(try await store.begin("k", limit: 3) == 0)
      #expect(try await row().failures == 13)
      try await fixture.pool.execute(
        "UPDATE auth.attempts SET last_at = now() - interval '3601 seconds', blocked_until = now()")
      #expect(try await store.begin("k", limit: 3) == 0)
      #expect(try await row().failures == 1)
      #expect(try await store.begin("k", limit: 3) == 0)
    }
  }

  @Test func anAddressThatGuessesAtManyAccountsWaits() async throws {
    try await AuthFixture.with(addressLimit: 10) { fixture in
      var codes: [ErrorCode?] = []
      for number in 0..<30 {
        // One IPv6 subscriber has many addresses.
        let address = "2001:db8::\(String(number, radix: 16))"
        codes.append(await code { _ = try await fixture.logIn("user \(number)", "x", from: address) })
      }
      #expect(codes.filter { $0 == .invalidCredentials }.count <= 12 && codes.contains(.tooManyRequests))
      #expect(await code { _ = try await fixture.logIn("root", "root", from: "192.0.2.9") } == nil)
      // A good account of one's own is no licence to guess at others.
      for number in 0..<30 {
        _ = await code { _ = try await fixture.logIn("user \(number)", "x", from: "192.0.2.9") }
        _ = await code { _ = try await fixture.logIn("root", "root", from: "192.0.2.9") }
      }
      #expect(await code { _ = try await fixture.logIn("root", "root", from: "192.0.2.9") } == .tooManyRequests)
      // An address that waits makes no account wait.
      for _ in 0..<20 { _ = await code { _ = try await fixture.logIn("ana", "x", from: "192.0.2.9") } }
      let counted = try await fixture.pool.first(
        "SELECT count(*) AS n FROM auth.attempts WHERE key = 'account ana'"
      ) { try $0("n", as: Int.self) }
      #expect(counted == 0)
    }
  }

  @Test func thePresentPasswordCannotBeGuessedByAToken() async throws {
    try await AuthFixture.with(accountLimit: 5) { fixture in
      let ana = try await fixture.add("ana")
      var codes: [ErrorCode?] = []
      for number in 0..<20 {
        let update = UserUpdate(password: "a brand new password", currentPassword: "guess \(number)")
        codes.append(await code { _ = try await fixture.accounts.update(ana.user, update, ana) })
      }
      #expect(codes.filter { $0 == .forbidden }.count <= 6 && codes.last == .tooManyRequests)
    }
  }
}

@Suite(.timeLimit(.minutes(5))) struct PasswordPolicyTests {
  private let policy = PasswordPolicy(minimum: 12)

  @Test(arguments: [
    "password1234", "Password1234!", "P@ssw0rd12345", "passwordpassword", "aaaaaaaaaaaaa", "abababababab",
    "123456789012",
    "qwertyuiopas", "abcdefghijklm", "mlkjihgfedcba", "Administrator2026", "changeme!!!!!!", "iloveyou12345",
    "correcthorsebatterystaple", "ana.lopez1234", "short", "", "elevenchars", "1q2w3e4r5t6y",
  ])
  func whatIsGuessedFirstIsRefused(_ password: String) {
    #expect(throws: ServiceError.self) { try policy.check(password, email: "ana.lopez@example.org") }
  }

  @Test(arguments: [
    "three small words", "Xk8#mq2Lz0pT", "äöü und noch etwas", "correct zebra staple", "日本語のパスワードは長いです",
  ])
  func whatIsLongAndOnesOwnIsTaken(_ password: String) throws {
    try policy.check(password, email: "ana.lopez@example.org")
  }
}
