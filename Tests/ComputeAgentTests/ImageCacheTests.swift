import AsyncHTTPClient
import Clients
import Crypto
import Foundation
import Models
import ServiceKit
import TestSupport
import Testing

@testable import ComputeAgent

@Suite(.timeLimit(.minutes(5))) struct ImageCacheTests {
  typealias Step = ScriptedServer.Step

  private static func content(_ size: Int = 300_000) -> [UInt8] {
    (0..<size).map { _ in UInt8.random(in: .min ... .max) }
  }

  private static func digest(_ bytes: [UInt8]) -> String {
    SHA256.hash(data: bytes).map { String(format: "%02x", $0) }.joined()
  }

  private func withCache(
    limit: Int64 = 1 << 30, patience: Duration = .seconds(60), _ body: (ImageCache, String) async throws -> Void
  ) async throws {
    let client = InternalHTTP.makeClient { $0.timeout.read = .seconds(5) }
    let result: Result<Void, any Error>
    do {
      try await TestEnvironment.withFolder { folder in
        let cache = try ImageCache(
          folder: "\(folder)/cache", limit: limit, download: ImageFetch(client: client, attempts: 3, pause: .zero),
          patience: patience)
        try await body(cache, folder)
      }
      result = .success(())
    } catch { result = .failure(error) }
    try await client.shutdown()
    try result.get()
  }

  private func image(_ bytes: [UInt8], _ server: ScriptedServer, sha256: String? = nil, size: Int? = nil) -> CachedImage
  {
    CachedImage(sha256: sha256 ?? Self.digest(bytes), size: Int64(size ?? bytes.count), url: server.url + "/x")
  }

  private func link(_ image: CachedImage, _ cache: ImageCache, as path: String) async throws {
    try await cache.link(image, as: path) { try await Files().sha256(path: $0) == image.sha256 }
  }

  private func code(_ body: () async throws -> Void) async -> ErrorCode? {
    do { try await body() } catch { return ServiceError.of(error).code }
    return nil
  }

  @Test func manyWhoAskAtOnceMakeOneDownload() async throws {
    let bytes = Self.content()
    @Sendable func slowly(_ request: String) -> [Step] {
      let steps = ScriptedServer.file(bytes, tag: "\"a\"", to: request)
      return [steps[0], .pause(.milliseconds(200)), steps[1]]
    }
    try await ScriptedServer.with(slowly) { server in
      try await withCache { cache, folder in
        let image = image(bytes, server)
        try await withThrowingTaskGroup(of: Void.self) { group in
          for number in 0..<16 { group.addTask { try await link(image, cache, as: "\(folder)/vm\(number)") } }
          try await group.waitForAll()
        }
        #expect(server.requests.count == 1)
        let attributes = try FileManager.default.attributesOfItem(atPath: "\(folder)/vm15")
        #expect(attributes[.referenceCount] as? Int == 17 && attributes[.posixPermissions] as? Int == 0o444)
        #expect(try Array(Data(contentsOf: URL(fileURLWithPath: "\(folder)/vm3"))) == bytes)
      }
    }
  }

  @Test func whatWasCutIsResumedAlsoByALaterCommand() async throws {
    let bytes = Self.content()
    let count = Counter()
    @Sendable func cut(_ request: String) -> [Step] {
      let steps = ScriptedServer.file(bytes, tag: "bytes", to: request)
      guard case .send(let rest) = steps[1] else { return steps }
      // Four cuts: more than the attempts of one command.
      return count.next() < 4 ? [steps[0], .send(Array(rest.prefix(50_000)))] : steps
    }
    try await ScriptedServer.with(cut) { server in
      try await withCache { cache, folder in
        let image = image(bytes, server)
        #expect(await code { try await link(image, cache, as: "\(folder)/vm") } == .unavailable)
        try await link(image, cache, as: "\(folder)/vm")
        #expect(server.requests.count == 5)
        #expect(server.requests.dropFirst().allSatisfy { $0.lowercased().contains("range: bytes=") })
        #expect(try Array(Data(contentsOf: URL(fileURLWithPath: "\(folder)/vm"))) == bytes)
      }
    }
  }

  @Test func whatIsNotTheImageIsNeverUsed() async throws {
    let bytes = Self.content()
    @Sendable func serve(_ request: String) -> [Step] { ScriptedServer.file(bytes, tag: "\"a\"", to: request) }
    try await ScriptedServer.with(serve) { server in
      try await withCache { cache, folder in
        let path = "\(folder)/vm"
        let wrong = image(bytes, server, sha256: String(repeating: "0", count: 64))
        #expect(await code { try await link(wrong, cache, as: path) } == .corrupt)
        #expect(await code { try await link(image(bytes, server, size: 1000), cache, as: path) } == .corrupt)
        let strange = image(bytes, server, sha256: "../../etc/passwd")
        #expect(await code { try await link(strange, cache, as: path) } == .invalidField)
        #expect(try FileManager.default.contentsOfDirectory(atPath: "\(folder)/cache").isEmpty)
        // A file that was damaged on the disk is fetched again.
        let good = image(bytes, server)
        try await link(good, cache, as: path)
        let cached = "\(folder)/cache/\(good.sha256).qcow2"
        try FileManager.default.removeItem(atPath: cached)
        try Data([1, 2, 3]).write(to: URL(fileURLWithPath: cached))
        #expect(await code { try await link(good, cache, as: "\(folder)/other") } == .unavailable)
        try await link(good, cache, as: "\(folder)/other")
        #expect(try Array(Data(contentsOf: URL(fileURLWithPath: "\(folder)/other"))) == bytes)
      }
    }
  }

  @Test func aRefusalOfTheInventoryIsTriedAgainLater() async throws {
    @Sendable func refuse(_ request: String) -> [Step] {
      [.send(ScriptedServer.head("401 Unauthorized", ["Content-Length": "0"]))]
    }
    try await ScriptedServer.with(refuse) { server in
      try await withCache { cache, folder in
        #expect(await code { try await link(image([1], server), cache, as: "\(folder)/vm") } == .unavailable)
      }
    }
  }

  @Test func whoeverWaitsTooLongIsToldWhileTheDownloadGoesOn() async throws {
    let bytes = Self.content()
    @Sendable func slowly(_ request: String) -> [Step] {
      let steps = ScriptedServer.file(bytes, tag: "\"a\"", to: request)
      return [steps[0], .pause(.milliseconds(500)), steps[1]]
    }
    try await ScriptedServer.with(slowly) { server in
      try await withCache(patience: .milliseconds(50)) { cache, folder in
        let image = image(bytes, server)
        #expect(await code { try await link(image, cache, as: "\(folder)/vm") } == .unavailable)
        try await eventually("it is here") { await code { try await link(image, cache, as: "\(folder)/vm") } == nil }
        #expect(server.requests.count == 1)
      }
    }
  }

  /// What no VM needs goes first, the least recently used before the rest; what a VM needs stays.
  @Test func theCacheKeepsToItsLimit() async throws {
    let contents = (0..<4).map { _ in Self.content(100_000) }
    @Sendable func serve(_ request: String) -> [Step] {
      let number = request.firstMatch(of: /GET \/(\d)/).flatMap { Int($0.1) } ?? 0
      return ScriptedServer.file(contents[number], tag: "\"a\"", to: request)
    }
    try await ScriptedServer.with(serve) { server in
      try await withCache(limit: 250_000) { cache, folder in
        func image(_ number: Int) -> CachedImage {
          CachedImage(sha256: Self.digest(contents[number]), size: 100_000, url: "\(server.url)/\(number)")
        }
        func isCached(_ number: Int) -> Bool {
          FileManager.default.fileExists(atPath: "\(folder)/cache/\(image(number).sha256).qcow2")
        }
        for number in 0..<3 {
          let path = "\(folder)/vm\(number)"
          try await link(image(number), cache, as: path)
          // Only the VM of the first lives on; the second was used longer ago than the third.
          if number > 0 { try FileManager.default.removeItem(atPath: path) }
          var times = [timespec(tv_sec: 1000 + number, tv_nsec: 0), timespec(tv_sec: 1000, tv_nsec: 0)]
          utimensat(AT_FDCWD, "\(folder)/cache/\(image(number).sha256).qcow2", &times, 0)
        }
        try await link(image(3), cache, as: "\(folder)/vm3")
        #expect(isCached(0) && !isCached(1) && isCached(2) && isCached(3))
      }
    }
  }
}
