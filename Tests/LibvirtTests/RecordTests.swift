import Foundation
import Libvirt
import Testing

@Suite struct RecordTests {
  let node = TestNode()
  var connection: LibvirtConnection { node.connection }

  let namespace = "https://example.org/notes"

  @Test func everyDomainComesWithItsMetadata() async throws {
    let (plain, noted) = (try await connection.defineAny(name: "plain"), try await connection.defineAny(name: "noted"))
    try await connection.start(noted)
    try await connection.setMetadata(of: noted, namespace: namespace, prefix: "n", xml: "<note epoch='7'/>")
    try await connection.setMetadata(of: plain, namespace: "urn:other", prefix: "o", xml: "<other/>")
    let records = try await connection.domainRecords(namespace: namespace)
    let found = Dictionary(uniqueKeysWithValues: records.map { ($0.domain.uuid, $0) })
    #expect(found.count == 2)
    #expect(found[plain]?.metadata == nil)
    #expect((found[plain]?.domain.name, found[plain]?.domain.state) == ("plain", .shutoff))
    #expect(found[noted]?.metadata == "<note epoch=\"7\"/>")
    #expect(found[noted]?.domain.state == .running)
  }

  @Test func recordsAgreeWithTheDomains() async throws {
    for number in 0..<20 { _ = try await connection.defineAny(name: "guest-\(number)") }
    let domains = try await Set(connection.domains())
    #expect(try await Set(connection.domainRecords(namespace: namespace).map(\.domain)) == domains)
    #expect(domains.count == 20)
  }

  @Test(.timeLimit(.minutes(5))) func domainsThatGoMeanwhileAreLeftOut() async throws {
    // The node of this URI is shared by all connections of the process.
    let (reader, writer) = (LibvirtConnection(uri: "test:///default"), LibvirtConnection(uri: "test:///default"))
    let changes = Task {
      for number in 0..<200 { try await writer.undefine(writer.defineAny(name: "passing-\(number)")) }
    }
    for _ in 0..<200 { _ = try await reader.domainRecords(namespace: namespace) }
    try await changes.value
  }

  @Test func namespaceWithNULIsRefused() async throws {
    let error = try #require(
      await #expect(throws: LibvirtError.self) { try await connection.domainRecords(namespace: "a\0b") })
    #expect(error.code == .invalidArgument)
  }

  @Test func noDomainsNoRecords() async throws {
    #expect(try await connection.domainRecords(namespace: namespace).isEmpty)
  }

  @Test func metadataSurvivesARestartOfTheDomain() async throws {
    let uuid = try await connection.defineAny()
    try await connection.start(uuid)
    try await connection.setMetadata(of: uuid, namespace: namespace, prefix: "n", xml: "<note/>")
    try await connection.destroy(uuid, graceful: false)
    #expect(try await connection.domainRecords(namespace: namespace).map(\.metadata) == ["<note/>"])
    try await connection.start(uuid)
    #expect(try await connection.domainRecords(namespace: namespace).map(\.metadata) == ["<note/>"])
  }
}
