import Foundation
import Libvirt
import Testing

@Suite struct MetadataTests {
  let node = TestNode()
  var connection: LibvirtConnection { node.connection }

  let namespace = "https://example.org/notes"

  @Test func absentMetadataIsNil() async throws {
    let uuid = try await connection.defineAny()
    #expect(try await connection.metadata(of: uuid, namespace: namespace) == nil)
  }

  @Test(arguments: [false, true])
  func metadataRoundTripAndRemoval(isRunning: Bool) async throws {
    let uuid = try await connection.defineAny()
    if isRunning { try await connection.start(uuid) }
    try await connection.setMetadata(of: uuid, namespace: namespace, prefix: "n", xml: "<note epoch='7'>é</note>")
    let read = try #require(try await connection.metadata(of: uuid, namespace: namespace))
    #expect(read == "<note epoch=\"7\">é</note>")
    for inactive in [false, true] {
      #expect(try await connection.xml(of: uuid, inactive: inactive).contains("<n:note xmlns:n=\"\(namespace)\""))
    }
    try await connection.setMetadata(of: uuid, namespace: namespace, prefix: "n", xml: nil)
    #expect(try await connection.metadata(of: uuid, namespace: namespace) == nil)
  }

  @Test func metadataInTheDescriptionIsRead() async throws {
    let metadata = "<metadata><n:note xmlns:n='\(namespace)'>hello</n:note></metadata>"
    let xml = domainXML(UUID(), name: "one").replacing("<devices>", with: metadata + "<devices>")
    let uuid = try await connection.define(xml: xml).uuid
    #expect(try await connection.metadata(of: uuid, namespace: namespace)?.contains("hello") == true)
  }

  @Test func malformedMetadataIsRefused() async throws {
    let uuid = try await connection.defineAny()
    await #expect(throws: LibvirtError.self) {
      try await connection.setMetadata(of: uuid, namespace: namespace, prefix: "n", xml: "<open>")
    }
    #expect(try await connection.metadata(of: uuid, namespace: namespace) == nil)
  }

  @Test func unknownDomainHasNone() async throws {
    let error = try #require(
      await #expect(throws: LibvirtError.self) {
        try await connection.metadata(of: UUID(), namespace: namespace)
      })
    #expect(error.code == .noDomain)
  }
}
