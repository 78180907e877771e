import Foundation
import Libvirt
import Testing

@Suite struct ErrorTests {
  let node = TestNode()
  var connection: LibvirtConnection { node.connection }

  let error = LibvirtError(code: .noDomain, domain: 10, message: "secret /path")

  @Test func descriptionShowsTheCodeOnly() {
    #expect("\(error)" == "libvirt error: noDomain (42)")
    #expect(String(reflecting: error) == "libvirt error: noDomain (42), from 10: secret /path")
  }

  @Test func unknownCodeIsCarried() {
    let code = LibvirtError.Code(rawValue: 31_337)
    #expect(code.rawValue == 31_337)
    #expect("\(code)" == "31337")
    #expect(code == LibvirtError.Code(rawValue: 31_337))
  }

  @Test func codesOfNewerLibvirtsAreNamed() {
    #expect("\(LibvirtError.Code(rawValue: 112))" == "agentCommandTimeout (112)")
    #expect("\(LibvirtError.Code(rawValue: 113))" == "agentCommandFailed (113)")
  }

  @Test(arguments: [
    (LibvirtError.Code.rpc, 7, true), (.systemError, 7, true), (.internalError, 7, true), (.noConnect, 13, true),
    (.systemError, 10, false), (.internalError, 10, false), (.noDomain, 7, false), (.rpc, 0, false),
  ])
  func connectionFailuresAreToldFromOthers(code: LibvirtError.Code, domain: Int32, isFailure: Bool) {
    #expect(LibvirtError(code: code, domain: domain, message: "").isConnectionFailure == isFailure)
  }

  @Test func unreachableDaemonIsAConnectionFailure() async throws {
    let connection = LibvirtConnection(uri: "test+unix:///default?socket=/nonexistent/socket")
    let error = try #require(await #expect(throws: LibvirtError.self) { try await connection.hostname() })
    #expect(error.code == .systemError)
    #expect(error.isConnectionFailure)
  }

  @Test func unknownDriverIsRefused() async throws {
    let connection = LibvirtConnection(uri: "nonsense:///")
    await #expect(throws: LibvirtError.self) { try await connection.hostname() }
  }

  @Test func stringsWithNULAreRefused() async throws {
    let uuid = try await connection.defineAny()
    for call in refusedCalls(uuid) {
      let error = try #require(await #expect(throws: LibvirtError.self) { try await call(connection) })
      #expect(error.code == .invalidArgument)
    }
    #expect(try await connection.domains().map(\.uuid) == [uuid])
  }

  private func refusedCalls(_ uuid: UUID) -> [(LibvirtConnection) async throws -> Void] {
    [
      { _ = try await $0.define(xml: "<domain/>\0") },
      { _ = try await $0.network("default\0x") },
      { _ = try await $0.metadata(of: uuid, namespace: "a\0b") },
      { try await $0.setMetadata(of: uuid, namespace: "a", prefix: "b", xml: "<a/>\0") },
      { _ = try await $0.domainCapabilitiesXML(virtType: "test\0") },
    ]
  }
}
