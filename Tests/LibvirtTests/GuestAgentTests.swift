import Foundation
import Libvirt
import Testing

@Suite struct GuestAgentTests {
  let node = TestNode()
  var connection: LibvirtConnection { node.connection }

  @Test func driverWithoutAgentsSaysSo() async throws {
    let uuid = try await connection.defineAny()
    try await connection.start(uuid)
    for call in agentCalls(uuid, timeoutSeconds: 1) {
      let error = try #require(await #expect(throws: LibvirtError.self) { try await call(connection) })
      #expect(error.code == .noSupport)
    }
  }

  @Test func unknownDomainIsAnError() async throws {
    for call in agentCalls(UUID(), timeoutSeconds: 1) + fileSystemCalls(UUID(), timeoutSeconds: 1) {
      let error = try #require(await #expect(throws: LibvirtError.self) { try await call(connection) })
      #expect(error.code == .noDomain)
    }
  }

  // To libvirt 0 and less have meanings of their own, among them "for ever".
  @Test(arguments: [Int32.min, -2, -1, 0]) func waitingForEverIsRefused(seconds: Int32) async throws {
    let uuid = try await connection.defineAny()
    try await connection.start(uuid)
    for call in agentCalls(uuid, timeoutSeconds: seconds) + fileSystemCalls(uuid, timeoutSeconds: seconds) {
      let error = try #require(await #expect(throws: LibvirtError.self) { try await call(connection) })
      #expect(error.code == .invalidArgument)
    }
  }

  @Test func stringsWithNULAreRefused() async throws {
    let uuid = try await connection.defineAny()
    let calls: [(LibvirtConnection) async throws -> Void] = [
      { _ = try await $0.guestAgentCommand("{}\0", of: uuid, timeoutSeconds: 1) },
      { _ = try await $0.guestFile("/etc/\0", of: uuid, limit: 1, timeoutSeconds: 1) },
    ]
    for call in calls {
      let error = try #require(await #expect(throws: LibvirtError.self) { try await call(connection) })
      #expect(error.code == .invalidArgument)
    }
  }

  @Test func fileSystemsFreezeAndThaw() async throws {
    let uuid = try await connection.defineAny()
    try await connection.start(uuid)
    #expect(try await connection.thawFileSystems(of: uuid, timeoutSeconds: 1) == 0)
    let frozen = try await connection.freezeFileSystems(of: uuid, timeoutSeconds: 1)
    #expect(try await connection.thawFileSystems(of: uuid, timeoutSeconds: 1) == frozen)
  }

  @Test func fileSystemsOfADomainThatIsOff() async throws {
    let uuid = try await connection.defineAny()
    for call in fileSystemCalls(uuid, timeoutSeconds: 1) {
      let error = try #require(await #expect(throws: LibvirtError.self) { try await call(connection) })
      #expect(error.code == .operationInvalid)
    }
  }

  private typealias Call = (LibvirtConnection) async throws -> Void

  private func agentCalls(_ uuid: UUID, timeoutSeconds: Int32) -> [Call] {
    [
      { _ = try await $0.guestAgentCommand("{}", of: uuid, timeoutSeconds: timeoutSeconds) },
      { _ = try await $0.guestAgentAnswers(of: uuid, timeoutSeconds: timeoutSeconds) },
      { _ = try await $0.guestFile("/etc/hostname", of: uuid, limit: 1, timeoutSeconds: timeoutSeconds) },
    ]
  }

  private func fileSystemCalls(_ uuid: UUID, timeoutSeconds: Int32) -> [Call] {
    [
      { _ = try await $0.freezeFileSystems(of: uuid, timeoutSeconds: timeoutSeconds) },
      { _ = try await $0.thawFileSystems(of: uuid, timeoutSeconds: timeoutSeconds) },
    ]
  }
}
