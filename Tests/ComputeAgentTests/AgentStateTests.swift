import Foundation
import Models
import TestSupport
import Testing

@testable import ComputeAgent

@Suite struct AgentStateTests {
  private func enrolment(_ installation: UUIDText, password: String = "right", secret: String = "s") -> Enrolment {
    Enrolment(user: "agent", password: password, installation: installation, secret: secret)
  }

  @Test func anAgentBelongsToOneInstallationAlsoAfterARestart() async throws {
    try await TestEnvironment.withFolder { folder in
      let (ours, theirs) = (UUIDText.make(), UUIDText.make())
      let enrolments = try Enrolments(folder: folder, user: "agent", password: "right")
      #expect(await !enrolments.accepts("s"))
      #expect(
        await Samples.code { try await enrolments.enrol(enrolment(ours, password: "wrong")) } == .invalidCredentials)
      try await enrolments.enrol(enrolment(ours))
      #expect(await Samples.code { try await enrolments.enrol(enrolment(theirs)) } == .conflict)
      try await enrolments.enrol(enrolment(ours, secret: "t"))
      let restarted = try Enrolments(folder: folder, user: "agent", password: "right")
      #expect(await restarted.accepts("t"))
      #expect(await !restarted.accepts("s"))
      #expect(await !restarted.accepts(""))
      #expect(await Samples.code { try await restarted.enrol(enrolment(theirs)) } == .conflict)
    }
  }

  @Test func passwordsCannotBeGuessedForLong() async throws {
    try await TestEnvironment.withFolder { folder in
      let enrolments = try Enrolments(folder: folder, user: "agent", password: "right")
      var codes: [ErrorCode?] = []
      for _ in 0..<12 {
        codes.append(await Samples.code { try await enrolments.enrol(enrolment(.make(), password: "wrong")) })
      }
      #expect(
        codes.prefix(10).allSatisfy { $0 == .invalidCredentials }
          && codes.suffix(2) == [.tooManyRequests, .tooManyRequests])
      #expect(await Samples.code { try await enrolments.enrol(enrolment(.make())) } == .tooManyRequests)
    }
  }

  @Test func theCertificateIsMadeOnceAndKept() async throws {
    try await TestEnvironment.withFolder { folder in
      let first = try AgentCertificate.load(folder: folder, hostname: "host")
      #expect(try AgentCertificate.load(folder: folder, hostname: "host").fingerprint == first.fingerprint)
      #expect(first.fingerprint.count == 64)
      let mode = try FileManager.default.attributesOfItem(atPath: "\(folder)/agent.pem")[.posixPermissions] as? Int
      #expect(mode == 0o600)
    }
  }

  @Test func aFolderTooDeepForSocketsEndsTheStart() async throws {
    try await TestEnvironment.withFolder { folder in
      let deep = folder + "/" + String(repeating: "d", count: 80)
      #expect(throws: (any Error).self) { try AgentFolders(state: folder, run: deep) }
    }
  }
}
