import Foundation
import Models
import Testing

@testable import AuthService

@Suite(.timeLimit(.minutes(5))) struct SecondFactorTests {
  /// RFC 6238, appendix B, the last six digits.
  @Test(arguments: [
    (59, "287082"), (1_111_111_109, "081804"), (1_111_111_111, "050471"), (1_234_567_890, "005924"),
    (2_000_000_000, "279037"), (20_000_000_000, "353130"),
  ])
  func codesAreThoseOfTheRFC(_ time: Int, _ code: String) {
    let secret = Data("12345678901234567890".utf8)
    let date = Date(timeIntervalSince1970: Double(time))
    #expect(TOTP.code(secret: secret, at: date) == code)
    #expect(TOTP.step(of: code, secret: secret, at: date) == Int64(time / 30))
    #expect(TOTP.step(of: code, secret: secret, at: date.addingTimeInterval(30)) != nil)
    #expect(TOTP.step(of: code, secret: secret, at: date.addingTimeInterval(90)) == nil)
  }

  /// RFC 4648, section 10.
  @Test func base32IsThatOfTheRFC() {
    for (plain, encoded) in [("", ""), ("f", "MY"), ("fo", "MZXQ"), ("foo", "MZXW6"), ("foobar", "MZXW6YTBOI")] {
      #expect(TOTP.base32(Data(plain.utf8)) == encoded)
    }
  }

  private func secret(_ enrolment: TOTPEnrolment) -> Data {
    let alphabet = Array("ABCDEFGHIJKLMNOPQRSTUVWXYZ234567")
    let bits = enrolment.secret.flatMap { letter in
      let value = alphabet.firstIndex(of: letter) ?? 0
      return (0..<5).map { value >> (4 - $0) & 1 }
    }
    return Data(
      stride(from: 0, to: bits.count / 8 * 8, by: 8).map { UInt8(bits[$0..<($0 + 8)].reduce(0) { $0 << 1 | $1 }) })
  }

  @Test func itIsAskedForOnceItIsConfirmedAndEachCodeWorksOnce() async throws {
    try await AuthFixture.with { fixture in
      let ana = try await fixture.add("ana")
      let accounts = fixture.accounts
      let wrong = TOTPRequest(currentPassword: "wrong")
      #expect(await code { _ = try await accounts.enrolSecondFactor(ana.user, wrong, ana) } == .forbidden)
      let right = TOTPRequest(currentPassword: AuthFixture.password)
      let enrolment = try await accounts.enrolSecondFactor(ana.user, right, ana)
      #expect(enrolment.url.hasPrefix("otpauth://totp/test:ana?secret=\(enrolment.secret)&issuer=test"))
      let secret = secret(enrolment)
      _ = try await fixture.logIn("ana")

      #expect(
        await code { _ = try await accounts.confirmSecondFactor(ana.user, TOTPProof(otp: "000000"), ana) }
          == .forbidden)
      let first = TOTP.code(secret: secret, at: Date())
      let codes = try await accounts.confirmSecondFactor(ana.user, TOTPProof(otp: first), ana).recoveryCodes
      #expect(Set(codes).count == 10 && codes.allSatisfy { $0.utf8.count == 16 })
      #expect(await code { _ = try await accounts.enrolSecondFactor(ana.user, right, ana) } == .conflict)

      #expect(await code { _ = try await fixture.logIn("ana") } == .otpRequired)
      #expect(await code { _ = try await fixture.logIn("ana", "wrong", otp: first) } == .invalidCredentials)
      // The code that confirmed it was used by that.
      #expect(await code { _ = try await fixture.logIn("ana", otp: first) } == .invalidCredentials)
      let next = TOTP.code(secret: secret, at: Date().addingTimeInterval(30))
      let outcomes = await withTaskGroup(of: ErrorCode?.self) { group in
        for _ in 0..<8 { group.addTask { await code { _ = try await fixture.logIn("ana", otp: next) } } }
        return await group.reduce(into: [ErrorCode?]()) { $0.append($1) }
      }
      #expect(outcomes.filter { $0 == nil }.count == 1)

      let recovery = await withTaskGroup(of: ErrorCode?.self) { group in
        for _ in 0..<8 { group.addTask { await code { _ = try await fixture.logIn("ana", otp: codes[0]) } } }
        return await group.reduce(into: [ErrorCode?]()) { $0.append($1) }
      }
      #expect(recovery.filter { $0 == nil }.count == 1)
      let grouped = codes[1].lowercased().prefix(8) + "-" + codes[1].dropFirst(8)
      _ = try await fixture.logIn("ana", otp: String(grouped))
    }
  }

  @Test func onlyItsOwnerAndAdministratorsTakeItAway() async throws {
    try await AuthFixture.with { fixture in
      let (ana, eve) = (try await fixture.add("ana"), try await fixture.add("eve"))
      let accounts = fixture.accounts
      let request = TOTPRequest(currentPassword: AuthFixture.password)
      func enable() async throws -> [String] {
        let enrolment = try await accounts.enrolSecondFactor(ana.user, request, ana)
        let proof = TOTPProof(otp: TOTP.code(secret: secret(enrolment), at: Date()))
        return try await accounts.confirmSecondFactor(ana.user, proof, ana).recoveryCodes
      }
      let codes = try await enable()
      #expect(try await accounts.get(ana.user, ana).totp)
      #expect(await code { try await accounts.removeSecondFactor(ana.user, nil, ana) } == .invalidField)
      #expect(
        await code { try await accounts.removeSecondFactor(ana.user, TOTPProof(otp: "1"), ana) } == .forbidden)
      #expect(await code { try await accounts.removeSecondFactor(ana.user, nil, eve) } == .notFound)
      try await accounts.removeSecondFactor(ana.user, TOTPProof(otp: codes[0]), ana)
      _ = try await fixture.logIn("ana")
      _ = try await enable()
      try await accounts.removeSecondFactor(ana.user, nil, fixture.admin)
      _ = try await fixture.logIn("ana")
      #expect(await code { _ = try await accounts.enrolSecondFactor(ana.user, request, fixture.admin) } == .forbidden)
    }
  }
}
