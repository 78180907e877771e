import Foundation
import Libvirt
import Testing

@Suite struct ControlTests {
  let node = TestNode()
  var connection: LibvirtConnection { node.connection }

  @Test func lifeFromDefinitionToItsEnd() async throws {
    let uuid = try await connection.defineAny()
    try await connection.start(uuid)
    #expect(try await connection.domain(uuid: uuid)?.state == .running)
    try await connection.suspend(uuid)
    #expect(try await connection.domain(uuid: uuid)?.state == .paused)
    try await connection.resume(uuid)
    #expect(try await connection.domain(uuid: uuid)?.state == .running)
    try await connection.destroy(uuid, graceful: false)
    #expect(try await connection.domain(uuid: uuid)?.shutoffReason == .destroyed)
    try await connection.undefine(uuid)
    #expect(try await connection.domain(uuid: uuid) == nil)
  }

  @Test(arguments: [ShutdownMode.acpi]) func shutdownEndsTheGuest(mode: ShutdownMode) async throws {
    let uuid = try await connection.defineAny()
    try await connection.start(uuid)
    try await connection.shutdown(uuid, mode: mode)
    #expect(try await connection.domain(uuid: uuid)?.shutoffReason == .shutdown)
  }

  @Test func gracefulDestroyAndReboot() async throws {
    let uuid = try await connection.defineAny()
    try await connection.start(uuid)
    try await connection.reboot(uuid)
    #expect(try await connection.domain(uuid: uuid)?.state == .running)
    try await connection.destroy(uuid, graceful: true)
    #expect(try await connection.domain(uuid: uuid)?.state == .shutoff)
  }

  @Test(arguments: Change.allCases) func stateThatForbidsAChangeIsAnError(change: Change) async throws {
    let uuid = try await connection.defineAny()
    if change == .start { try await connection.start(uuid) }
    let error = try #require(
      await #expect(throws: LibvirtError.self) { try await change.apply(to: uuid, of: connection) })
    // The hypervisors say operationInvalid; libvirt 9's test driver says internalError for most of these.
    #expect([.operationInvalid, .internalError].contains(error.code))
  }

  @Test(arguments: Change.allCases) func unknownDomainIsAnError(change: Change) async throws {
    let error = try #require(
      await #expect(throws: LibvirtError.self) { try await change.apply(to: UUID(), of: connection) })
    #expect(error.code == .noDomain)
  }

  @Test func undefiningARunningDomainLeavesItUntilItEnds() async throws {
    let uuid = try await connection.defineAny()
    try await connection.start(uuid)
    try await connection.undefine(uuid)
    #expect(try await connection.domain(uuid: uuid)?.state == .running)
    try await connection.destroy(uuid, graceful: false)
    #expect(try await connection.domain(uuid: uuid) == nil)
  }

  enum Change: CaseIterable {
    case start, shutdown, destroy, suspend, resume

    func apply(to uuid: UUID, of connection: LibvirtConnection) async throws {
      switch self {
      case .start: try await connection.start(uuid)
      case .shutdown: try await connection.shutdown(uuid, mode: .acpi)
      case .destroy: try await connection.destroy(uuid, graceful: false)
      case .suspend: try await connection.suspend(uuid)
      case .resume: try await connection.resume(uuid)
      }
    }
  }
}
