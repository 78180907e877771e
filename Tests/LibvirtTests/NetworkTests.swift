import Foundation
import Libvirt
import Testing

@Suite struct NetworkTests {
  let node = TestNode()
  var connection: LibvirtConnection { node.connection }

  let xml = "<network><name>lan</name><bridge name='br7'/><ip address='192.0.2.1' netmask='255.255.255.0'/></network>"

  @Test func lifeOfANetwork() async throws {
    let defined = try await connection.defineNetwork(xml: xml)
    #expect((defined.name, defined.bridge) == ("lan", "br7"))
    #expect((defined.isActive, defined.isAutostarted) == (false, false))
    try await connection.setAutostart(true, network: "lan")
    try await connection.startNetwork("lan")
    let started = try #require(try await connection.network("lan"))
    #expect((started.uuid, started.isActive, started.isAutostarted) == (defined.uuid, true, true))
    try await connection.destroyNetwork("lan")
    #expect(try await connection.network("lan")?.isActive == false)
    try await connection.undefineNetwork("lan")
    #expect(try await connection.network("lan") == nil)
  }

  @Test func networkThatIsUpDoesNotStartAgain() async throws {
    try await connection.defineNetwork(xml: xml)
    try await connection.startNetwork("lan")
    let error = try #require(await #expect(throws: LibvirtError.self) { try await connection.startNetwork("lan") })
    #expect(error.code == .operationInvalid)
  }

  @Test func unknownNetworkIsAnError() async throws {
    let error = try #require(await #expect(throws: LibvirtError.self) { try await connection.startNetwork("lan") })
    #expect(error.code == .noNetwork)
  }

  @Test func networkWithoutABridgeHasNone() async throws {
    let xml = "<network><name>direct</name><forward mode='hostdev'/></network>"
    #expect(try await connection.defineNetwork(xml: xml).bridge == nil)
  }

  @Test func malformedDescriptionIsRefused() async throws {
    let error = try #require(
      await #expect(throws: LibvirtError.self) { try await connection.defineNetwork(xml: "<network>") })
    #expect(error.code == .xmlDetail)
  }
}
