import Foundation
import Models
import ServiceKit
import TestSupport
import Testing

@testable import InventoryService

@Suite struct WellKnownImageTests {
  @Test func everyEntryNamesItsPublishersListOverHTTPS() throws {
    let images = try WellKnownImages().images
    #expect(Set(images.map(\.name)).count == images.count)
    for family in ["debian-", "ubuntu-", "fedora-", "alpine-", "rocky-", "cirros-"] {
      #expect(images.contains { $0.name.hasPrefix(family) }, "\(family)")
    }
    for image in images {
      #expect(NewImage.isName(image.name) && !image.desc.isEmpty)
      let (url, list) = (URL(string: image.url), URL(string: image.checksums))
      #expect(url?.scheme == "https" && list?.scheme == "https" && url?.host == list?.host, "\(image.name)")
    }
  }

  @Test func aNameStandsForItsURLAndItsChecksums() async throws {
    @Sendable func resolve(_ name: String) async -> [IPAddress] { [] }
    try await ImportFixture.with(resolver: resolve) { fixture in
      let ana = fixture.store.ana
      let request = NewImage(url: "debian-12", name: nil, desc: nil)
      let accepted = try await fixture.images.add(request, asking(ana))
      #expect(accepted.resource.name == "debian-12" && accepted.resource.url?.contains("bookworm") == true)
      let job = try #require(try await fixture.importer.store.job(accepted.resource.id))
      #expect(job.checksums?.hasSuffix("SHA512SUMS") == true)
      // There is no way out of here to a publisher, which is told.
      #expect(try await fixture.carryOut(accepted.resource.id).error?.code == "source_failed")
      let unknown = NewImage(url: "debian-1", name: nil, desc: nil)
      #expect(await code { _ = try await fixture.images.add(unknown, asking(ana)) } == .invalidField)
    }
  }
}
