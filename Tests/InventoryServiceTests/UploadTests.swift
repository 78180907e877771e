import Crypto
import Foundation
import Models
import NIOCore
import ServiceKit
import TestSupport
import Testing

@testable import InventoryService

@Suite(.timeLimit(.minutes(5))) struct UploadTests {
  private struct Cut: Error {}

  /// A body in pieces; one that is cut ends with an error.
  private func body(_ bytes: [UInt8], isCut: Bool = false, slowly: Duration? = nil) -> AsyncThrowingStream<
    ByteBuffer, any Error
  > {
    AsyncThrowingStream { continuation in
      let task = Task {
        for start in stride(from: 0, to: bytes.count, by: 100_000) {
          if let slowly { try await Task.sleep(for: slowly) }
          continuation.yield(ByteBuffer(bytes: bytes[start..<min(start + 100_000, bytes.count)]))
        }
        continuation.finish(throwing: isCut ? Cut() : nil)
      }
      continuation.onTermination = { _ in task.cancel() }
    }
  }

  private func waiting(_ fixture: ImportFixture, sha256: String? = nil) async throws -> ImageID {
    let request = NewImage(url: nil, name: "mine", desc: "", sha256: sha256)
    let accepted = try await fixture.images.add(request, asking(fixture.store.ana))
    #expect(accepted.operation == nil && accepted.resource.state == .importing && accepted.resource.url == nil)
    return accepted.resource.id
  }

  private func receive(
    _ id: ImageID, _ fixture: ImportFixture, _ bytes: [UInt8], isCut: Bool = false, length: Int64? = nil,
    as caller: Caller? = nil
  ) async throws -> Accepted<Image> {
    try await fixture.upload.receive(
      id, body(bytes, isCut: isCut), length: length, asking(caller ?? fixture.store.ana))
  }

  @Test func whatWasSentBecomesAnImage() async throws {
    let disk = rawDisk()
    let digest = SHA256.hash(data: disk).map { String(format: "%02x", $0) }.joined()
    try await ImportFixture.with { fixture in
      let id = try await waiting(fixture, sha256: digest)
      let accepted = try await receive(id, fixture, disk, length: Int64(disk.count))
      #expect(accepted.operation?.kind == .imageUpload && accepted.operation?.status == .pending)
      // A sweep between the two halves leaves what was received.
      try await fixture.sweeper.sweep()
      #expect(try await fixture.carryOut(id).state == .available)
      #expect(try fixture.names() == ["\(id).qcow2"])
      #expect(await code { _ = try await receive(id, fixture, disk) } == .invalidState)
    }
  }

  @Test func whatIsCutLeavesNothingAndCanBeSentAgain() async throws {
    let disk = rawDisk()
    try await ImportFixture.with { fixture in
      let id = try await waiting(fixture)
      let wrong = Int64(disk.count + 1)
      #expect(await code { _ = try await receive(id, fixture, disk, isCut: true) } == .sourceFailed)
      #expect(await code { _ = try await receive(id, fixture, disk, length: wrong) } == .sourceFailed)
      #expect(await code { _ = try await receive(id, fixture, disk, length: 1 << 40) } == .tooLarge)
      let huge = [UInt8](repeating: 1, count: (64 << 20) + 1)
      #expect(await code { _ = try await receive(id, fixture, huge) } == .tooLarge)
      #expect(try fixture.names().isEmpty)
      #expect(try await fixture.images.get(id, fixture.store.ana).state == .importing)
      _ = try await receive(id, fixture, disk)
      #expect(try await fixture.carryOut(id).state == .available)
    }
  }

  @Test func badContentIsAnErrorThatCanBeMended() async throws {
    try await ImportFixture.with { fixture in
      let id = try await waiting(fixture)
      _ = try await receive(id, fixture, Array("<html>".utf8))
      let failed = try await fixture.carryOut(id)
      #expect(failed.state == .error && failed.error?.code == "bad_format")
      #expect(try fixture.names().isEmpty)
      _ = try await receive(id, fixture, rawDisk())
      let mended = try await fixture.carryOut(id)
      #expect(mended.state == .available && mended.error == nil)
      let strict = try await waiting(fixture, sha256: String(repeating: "0", count: 64))
      #expect(await code { _ = try await receive(strict, fixture, rawDisk()) } == .checksumMismatch)
    }
  }

  @Test func onlyOwnersSendAndOnlyOneAtATime() async throws {
    let disk = rawDisk()
    try await ImportFixture.with { fixture in
      let id = try await waiting(fixture)
      #expect(await code { _ = try await receive(id, fixture, disk, as: fixture.store.eve) } == .notFound)
      let viewer = Grant(user: fixture.store.eve.user, role: .viewer, expiresAt: nil)
      _ = try await fixture.store.shares.grant(viewer, on: .image(id), asking(fixture.store.ana))
      #expect(await code { _ = try await receive(id, fixture, disk, as: fixture.store.eve) } == .forbidden)
      let imported = try await ScriptedServer.with({ _ in [] }) { server in
        try await fixture.images.add(
          NewImage(url: server.url, name: "i", desc: ""), asking(fixture.store.ana)
        ).resource.id
      }
      #expect(await code { _ = try await receive(imported, fixture, disk) } == .invalidState)
      try await fixture.images.remove(imported, fixture.store.ana)

      let slow = body(disk, slowly: .milliseconds(50))
      async let first = fixture.upload.receive(id, slow, length: nil, asking(fixture.store.ana))
      try await eventually("the first is under way") {
        try await fixture.store.operations.listing(fixture.store.ana).page(.init(query: "kind = 'image_upload'")).total
          == 1
      }
      #expect(await code { _ = try await receive(id, fixture, disk) } == .invalidState)
      #expect(try await first.operation?.step == "received")
      #expect(try await fixture.carryOut(id).state == .available)
    }
  }

  @Test func anImageRemovedMeanwhileEndsItsUpload() async throws {
    try await ImportFixture.with { fixture in
      let id = try await waiting(fixture)
      let slow = body(rawDisk(sectors: 60_000), slowly: .milliseconds(40))
      async let upload = code {
        _ = try await fixture.upload.receive(id, slow, length: nil, asking(fixture.store.ana))
      }
      try await eventually("bytes are here") { try !fixture.names().isEmpty }
      try await fixture.images.remove(id, fixture.store.ana)
      #expect(await upload == .invalidState)
      try await fixture.sweeper.sweep()
      #expect(try fixture.names().isEmpty)
    }
  }

  /// Its process died: the lease runs out, and whoever takes the operation finds nothing staged.
  @Test func anUploadWhoseProcessDiedWaitsForItsContentAgain() async throws {
    try await ImportFixture.with { fixture in
      let id = try await waiting(fixture)
      let claim = try await fixture.store.images.beginUpload(id, asking(fixture.store.ana))
      try Data([1]).write(to: URL(fileURLWithPath: fixture.files.received(claim.staged)))
      try await fixture.sweeper.sweep()
      #expect(try fixture.names().count == 1)
      try await fixture.store.pool.execute("UPDATE inventory.operations SET due_at = now()")
      let image = try await fixture.carryOut(id)
      #expect(image.state == .importing && image.error == nil)
      let operation = try await fixture.store.operations.get(claim.id, fixture.store.ana)
      #expect(operation?.status == .failed && operation?.error?.code == "source_failed")
      try await fixture.sweeper.sweep()
      #expect(try fixture.names().isEmpty)
      _ = try await receive(id, fixture, rawDisk())
      #expect(try await fixture.carryOut(id).state == .available)
    }
  }

  @Test func contentThatDoesNotComeWithinADayIsGivenUp() async throws {
    try await ImportFixture.with { fixture in
      let id = try await waiting(fixture)
      try await fixture.store.pool.execute("UPDATE inventory.images SET created_at = now() - interval '23 hours'")
      try await fixture.sweeper.sweep()
      let waiting = try await fixture.images.get(id, fixture.store.ana)
      #expect(waiting.state == .importing)
      try await fixture.store.pool.execute("UPDATE inventory.images SET created_at = now() - interval '25 hours'")
      try await fixture.sweeper.sweep()
      let given = try await fixture.images.get(id, fixture.store.ana)
      #expect(given.error?.code == "timeout")
    }
  }

  /// What an agent fetches by.
  @Test func aSignedURLHoldsForItsImageAndForAnHour() async throws {
    try await ImportFixture.with { fixture in
      let content = ImageContent(
        base: "http://inventory/", secret: SymmetricKey(size: .bits256), store: fixture.importer.store,
        files: fixture.files)
      let image = fixture.store.image
      func path(_ url: String, of image: ImageID) async throws -> String {
        try await content.path(of: image, try QueryString(URL(string: url)?.query))
      }
      let now = Date()
      let url = content.url(of: image, at: now.addingTimeInterval(-3590))
      #expect(url.hasPrefix("http://inventory/v1/content/\(image)?"))
      let found = try await path(url, of: image)
      #expect(found == fixture.files.file(of: image))
      let late = content.url(of: image, at: now.addingTimeInterval(-3610))
      #expect(await code { _ = try await path(late, of: image) } == .unauthenticated)
      #expect(await code { _ = try await path(url, of: .make()) } == .unauthenticated)
      let absent = ImageID.make()
      #expect(await code { _ = try await path(content.url(of: absent), of: absent) } == .notFound)
    }
  }
}
