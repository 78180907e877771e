import Foundation
import Libvirt
import Testing

@Suite struct DomainTests {
  let node = TestNode()
  var connection: LibvirtConnection { node.connection }

  @Test func definedDomainIsOffAndFound() async throws {
    let uuid = UUID()
    let domain = try await connection.define(xml: domainXML(uuid, name: "one"))
    #expect((domain.uuid, domain.name, domain.state) == (uuid, "one", .shutoff))
    #expect(domain.shutoffReason == .unknown)
    #expect(try await connection.domain(uuid: uuid) == domain)
  }

  @Test func unknownDomainIsNilOrAnError() async throws {
    #expect(try await connection.domain(uuid: UUID()) == nil)
    let error = try #require(
      await #expect(throws: LibvirtError.self) { try await connection.xml(of: UUID(), inactive: true) })
    #expect(error.code == .noDomain)
  }

  @Test(arguments: [
    ("not xml", LibvirtError.Code.xmlDetail), ("<domain type='test'>", .xmlDetail), ("", .xmlDetail),
    ("<network><name>n</name></network>", .xmlError), ("<domain type='test'/>", .noName),
  ])
  func malformedDescriptionIsRefused(xml: String, code: LibvirtError.Code) async throws {
    let error = try #require(await #expect(throws: LibvirtError.self) { try await connection.define(xml: xml) })
    #expect(error.code == code)
    #expect(try await connection.domains().isEmpty)
  }

  @Test func nameOfAnotherDomainIsRefused() async throws {
    _ = try await connection.defineAny(name: "taken")
    let error = try #require(
      await #expect(throws: LibvirtError.self) { try await connection.defineAny(name: "taken") })
    #expect(error.code == .operationFailed)
  }

  @Test func definingAgainChangesTheStoredDescriptionOnly() async throws {
    let uuid = try await connection.defineAny(name: "one")
    try await connection.start(uuid)
    let changed = domainXML(uuid, name: "one").replacing("<vcpu>2</vcpu>", with: "<vcpu>4</vcpu>")
    #expect(try await connection.define(xml: changed).state == .running)
    #expect(try await connection.xml(of: uuid, inactive: true).contains(">4</vcpu>"))
    #expect(try await connection.xml(of: uuid, inactive: false).contains(">2</vcpu>"))
  }

  @Test func listHoldsRunningAndStoppedDomains() async throws {
    let (off, on) = (try await connection.defineAny(name: "off"), try await connection.defineAny(name: "on"))
    try await connection.start(on)
    let states = Dictionary(uniqueKeysWithValues: try await connection.domains().map { ($0.uuid, $0.state) })
    #expect(states == [off: .shutoff, on: .running])
  }

  @Test(.timeLimit(.minutes(5))) func twoHundredDomains() async throws {
    var uuids: Set<UUID> = []
    for number in 0..<200 { uuids.insert(try await connection.defineAny(name: "guest-\(number)")) }
    for uuid in uuids { try await connection.start(uuid) }
    #expect(try await Set(connection.domains().filter { $0.state == .running }.map(\.uuid)) == uuids)
    #expect(try await Set(connection.allDomainStatistics().map(\.uuid)) == uuids)
    for uuid in uuids {
      try await connection.destroy(uuid, graceful: false)
      try await connection.undefine(uuid)
    }
    #expect(try await connection.domains().isEmpty)
  }

  @Test func addressesOfInterfacesByLease() async throws {
    let network =
      "<network><name>lan</name><bridge name='br0'/><ip address='192.0.2.1' netmask='255.255.255.0'/></network>"
    let interface = "<interface type='network'><mac address='52:54:00:00:00:01'/><source network='lan'/></interface>"
    try await connection.defineNetwork(xml: network)
    try await connection.startNetwork("lan")
    let uuid = try await connection.defineAny(devices: interface)
    try await connection.start(uuid)
    let found = try await connection.interfaceAddresses(of: uuid, source: .lease)
    #expect(found.map(\.mac) == ["52:54:00:00:00:01"])
    #expect(found.first?.addresses.count == 1)
  }
}
