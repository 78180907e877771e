import Foundation
import Libvirt
import Testing

@Suite struct HostTests {
  let node = TestNode()
  let described = TestNode(
    """
    <node>
      <cpu>
        <num>6</num><active>5</active><mhz>6000</mhz><model>i986</model>
        <nodes>1</nodes><sockets>1</sockets><cores>3</cores><threads>2</threads>
      </cpu>
      <memory>6000000</memory>
    </node>
    """)
  var connection: LibvirtConnection { node.connection }

  @Test func namesAndVersions() async throws {
    #expect(try await !connection.hostname().isEmpty)
    #expect(try await connection.libraryVersion() >= LibvirtVersion(packed: 9_000_000))
    #expect(try await connection.hypervisorVersion() == LibvirtVersion(packed: 2))
  }

  @Test func versionsAreUnpackedAndOrdered() {
    let version = LibvirtVersion(packed: 9_012_034)
    #expect("\(version)" == "9.12.34")
    #expect(version < LibvirtVersion(packed: 10_000_000))
    #expect(version > LibvirtVersion(packed: 9_012_033))
  }

  @Test func nodeInfoComesFromTheDescription() async throws {
    let info = try await described.connection.nodeInfo()
    #expect(info.model == "i986")
    #expect(info.memoryKiB == 6_000_000)
    #expect((info.cpus, info.mhz) == (5, 6000))
    #expect((info.nodes, info.sockets, info.cores, info.threads) == (1, 1, 3, 2))
  }

  @Test func freeMemoryIsPositive() async throws {
    #expect(try await LibvirtConnection(uri: "test:///default").freeMemoryBytes() > 0)
  }

  @Test func capabilities() async throws {
    #expect(try await connection.capabilitiesXML().contains("<capabilities>"))
  }

  @Test func whatADriverCannotDoIsToldFromAFailure() async throws {
    let error = try #require(
      await #expect(throws: LibvirtError.self) { try await connection.domainCapabilitiesXML(virtType: "test") })
    #expect(error.code == .noSupport)
  }
}
