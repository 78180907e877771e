import Libvirt
import Testing

@Suite struct LeaseTests {
  let node = TestNode()
  var connection: LibvirtConnection { node.connection }

  @Test func unknownNetworkIsAnError() async throws {
    let error = try #require(
      await #expect(throws: LibvirtError.self) { try await connection.dhcpLeases(ofNetwork: "lan") })
    #expect(error.code == .noNetwork)
  }

  @Test func driverWithoutLeasesSaysSo() async throws {
    try await connection.defineNetwork(xml: "<network><name>lan</name><bridge name='br7'/></network>")
    let error = try #require(
      await #expect(throws: LibvirtError.self) { try await connection.dhcpLeases(ofNetwork: "lan") })
    #expect(error.code == .noSupport)
  }
}
