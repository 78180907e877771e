import Crypto
import Foundation
import Models
import ServiceKit
import TestSupport
import Testing

@testable import InventoryService

@Suite(.timeLimit(.minutes(5))) struct DownloadTests {
  typealias Step = ScriptedServer.Step

  private func failure(
    _ path: String = "/disk.raw", stallSeconds: Int64 = 10, _ answer: @escaping @Sendable (String) -> [Step]
  ) async throws -> (code: String?, requests: [String]) {
    var result: (code: String?, requests: [String]) = (nil, [])
    let patience = DownloadPatience(stallSeconds: stallSeconds, minimumRate: 1024, attempts: 3, pause: .zero)
    try await ImportFixture.with(limits: ImportLimits(file: 4 << 20, disk: 1 << 30), patience: patience) { fixture in
      try await ScriptedServer.with(answer) { server in
        let image = try await fixture.importing(server.url + path)
        result = (image.state == .available ? nil : image.error?.code, server.requests)
        #expect(try fixture.names().count == (image.state == .available ? 1 : 0))
      }
    }
    return result
  }

  @Test(arguments: [404, 403, 500, 503]) func aRefusalIsTold(_ status: Int) async throws {
    let found = try await failure { _ in [.send(ScriptedServer.head("\(status) X", ["Content-Length": "0"]))] }
    #expect(found.code == "source_failed" && found.requests.count == (status >= 500 ? 3 : 1))
  }

  @Test func nobodyThereAndNoTLSAreTold() async throws {
    try await ImportFixture.with { fixture in
      #expect(try await fixture.importing("http://127.0.0.1:1/x").error?.code == "source_failed")
      try await ScriptedServer.with({ _ in [.send(Array("no TLS".utf8))] }) { server in
        let image = try await fixture.importing("https://127.0.0.1:\(server.port)/x")
        #expect(image.error?.code == "source_failed")
      }
    }
  }

  @Test(arguments: [0, 1, 1 << 20, (2 << 20) - 700]) func aCutDownloadIsResumed(_ cut: Int) async throws {
    let disk = rawDisk()
    let digest = SHA256.hash(data: disk).map { String(format: "%02x", $0) }.joined()
    try await ImportFixture.with { fixture in
      try await ScriptedServer.with({ request in
        let steps = ScriptedServer.file(disk, tag: "\"v1\"", to: request)
        guard !request.lowercased().contains("range:"), case .send(let head) = steps[0] else { return steps }
        return [.send(head), .send(Array(disk.prefix(cut)))]
      }) { server in
        // One that was cut before its first byte has nothing to resume.
        let image = try await fixture.importing(server.url + "/disk.raw", sha256: digest)
        #expect(image.state == (cut == 0 ? .error : .available), "\(image)")
        #expect(cut == 0 || server.requests.count == 2 && server.requests[1].lowercased().contains("if-range: \"v1\""))
      }
    }
  }

  @Test func aSourceThatCannotResumeIsReadFromTheStart() async throws {
    let disk = rawDisk()
    let first = Counter()
    let found = try await failure { request in
      let head = ScriptedServer.head("200 OK", ["Content-Length": "\(disk.count)"])
      return first.next() == 0 ? [.send(head), .send(Array(disk.prefix(100_000)))] : [.send(head), .send(disk)]
    }
    #expect(found.code == nil && found.requests.count == 2)
    #expect(!found.requests[1].lowercased().contains("range:"))
  }

  /// The file became another one while it was read: nothing of the old one may stay.
  @Test func aFileThatChangesBetweenTheHalvesIsReadAnew() async throws {
    let (old, new) = (rawDisk(), rawDisk())
    let digest = SHA256.hash(data: new).map { String(format: "%02x", $0) }.joined()
    let count = Counter()
    try await ImportFixture.with { fixture in
      try await ScriptedServer.with({ request in
        guard count.next() == 0 else { return ScriptedServer.file(new, tag: "\"new\"", to: request) }
        let head = ScriptedServer.head("200 OK", ["Content-Length": "\(old.count)", "ETag": "\"old\""])
        return [.send(head), .send(Array(old.prefix(500_000)))]
      }) { server in
        let image = try await fixture.importing(server.url + "/disk.raw", sha256: digest)
        #expect(image.state == .available, "\(image)")
      }
    }
  }

  @Test func aSourceThatIsCutAgainAndAgainIsGivenUp() async throws {
    let disk = rawDisk()
    let found = try await failure { _ in
      [.send(ScriptedServer.head("200 OK", ["Content-Length": "\(disk.count)"])), .send(Array(disk.prefix(1000)))]
    }
    #expect(found.code == "source_failed" && found.requests.count == 3)
  }

  @Test func theSlowTheSilentAndTheEndlessEnd() async throws {
    let head = ScriptedServer.head("200 OK")
    let silent = try await failure(stallSeconds: 1) { _ in [.send(head), .pause(.seconds(20))] }
    #expect(silent.code == "timeout")
    let mute = try await failure(stallSeconds: 1) { _ in [.pause(.seconds(20))] }
    #expect(mute.code == "timeout")
    let slow = try await failure(stallSeconds: 4) { _ in
      [.send(head)] + Array(repeating: [.send([1]), .pause(.milliseconds(300))], count: 40).flatMap { $0 }
    }
    #expect(slow.code == "timeout" && slow.requests.count == 1)
    let endless = try await failure { _ in [.send(head), .forever([UInt8](repeating: 7, count: 65_536))] }
    #expect(endless.code == "too_large" && endless.requests.count == 1)
    let announced = try await failure { _ in [.send(ScriptedServer.head("200 OK", ["Content-Length": "9999999999"]))] }
    #expect(announced.code == "too_large")
  }

  @Test func progressIsToldInBytesAndRate() async throws {
    let disk = rawDisk()
    @Sendable func slowly(_ request: String) -> [Step] {
      let steps = ScriptedServer.file(disk, tag: "\"a\"", to: request)
      let half = disk.count / 2
      let pieces: [Step] = [
        .send(Array(disk.prefix(half))), .pause(.milliseconds(1200)), .send(Array(disk[half..<(half + 1000)])),
      ]
      return [steps[0]] + pieces + [.pause(.milliseconds(900)), .send(Array(disk[(half + 1000)...]))]
    }
    try await ImportFixture.with(patience: .init(stallSeconds: 10)) { fixture in
      try await ScriptedServer.with(slowly) { server in
        let request = NewImage(url: server.url + "/disk.raw", name: "i", desc: "")
        let id = try await fixture.images.add(request, asking(fixture.store.ana)).resource.id
        async let image = fixture.carryOut(id)
        try await eventually("progress") {
          let progress = try await fixture.images.get(id, fixture.store.ana).progress
          return progress.map { $0.done >= disk.count / 2 && $0.total == Int64(disk.count) && $0.rate ?? 0 > 0 }
            ?? false
        }
        #expect(try await image.state == .available)
        #expect(try await image.progress == nil)
      }
    }
  }

  /// What comes after the announced length is never read.
  @Test func anAnswerLongerThanItSaysIsCutThere() async throws {
    let disk = rawDisk()
    let found = try await failure { _ in
      [.send(ScriptedServer.head("200 OK", ["Content-Length": "\(disk.count / 2 + 1)"])), .send(disk)]
    }
    #expect(found.code == "bad_format")
  }

  @Test func redirectsAreFollowedFiveTimesAndCheckedEachTime() async throws {
    let disk = rawDisk()
    @Sendable func to(_ location: String) -> [Step] {
      [.send(ScriptedServer.head("302 Found", ["Location": location, "Content-Length": "0"]))]
    }
    let good = try await failure("/4") { request in
      let left = request.firstMatch(of: /GET \/(\d)/).flatMap { Int($0.1) } ?? 0
      return left == 0 ? ScriptedServer.file(disk, tag: "\"a\"", to: request) : to("/\(left - 1)")
    }
    #expect(good.code == nil && good.requests.count == 5)
    let loop = try await failure { _ in to("/again") }
    #expect(loop.code == "source_failed" && loop.requests.count == 6)
    for bad in [
      "http://127.0.0.2/x", "http://[::1]/x", "file:///etc/passwd", "http://a:b@127.0.0.1/", "ftp://127.0.0.1/",
    ] {
      let found = try await failure { _ in to(bad) }
      #expect(found.code == "url_forbidden" && found.requests.count == 1, "\(bad)")
    }
  }

  @Test func checksumsAreCompared() async throws {
    let disk = rawDisk()
    let sha512 = SHA512.hash(data: disk).map { String(format: "%02x", $0) }.joined()
    let sha256 = SHA256.hash(data: disk).map { String(format: "%02x", $0) }.joined()
    let lists = [
      "good": "\(String(repeating: "0", count: 128))  other.raw\n\(sha512)  disk.raw\n",
      "bsd": "SHA256 (disk.raw) = \(sha256)\n",
      "bare": sha256, "wrong": "\(String(repeating: "0", count: 64)) *disk.raw\n", "none": "\(sha256)  other.raw\n",
    ]
    try await ImportFixture.with { fixture in
      try await ScriptedServer.with({ request in
        guard let list = lists.first(where: { request.hasPrefix("GET /\($0.key) ") })?.value else {
          return ScriptedServer.file(disk, tag: "\"a\"", to: request)
        }
        return [
          .send(ScriptedServer.head("200 OK", ["Content-Length": "\(list.utf8.count)"])), .send(Array(list.utf8)),
        ]
      }) { server in
        let url = server.url + "/disk.raw"
        for name in lists.keys {
          let image = try await fixture.importing(url, checksums: "\(server.url)/\(name)")
          let isGood = ["good", "bsd", "bare"].contains(name)
          #expect(image.state == (isGood ? .available : .error), "\(name): \(image)")
          #expect(image.error?.code == (isGood ? nil : "checksum_mismatch"))
        }
        let given = try await fixture.importing(url, sha256: String(repeating: "0", count: 64))
        #expect(given.error?.code == "checksum_mismatch")
        // Equal content is stored once: each has its name, and all names lead to one file.
        let files = try FileManager.default.contentsOfDirectory(atPath: fixture.files.folder).filter {
          $0.hasSuffix(".qcow2")
        }
        let inodes = try files.map {
          try FileManager.default.attributesOfItem(atPath: "\(fixture.files.folder)/\($0)")[.systemFileNumber] as? Int
        }
        #expect(files.count == 3 && Set(inodes).count == 1)
      }
    }
  }

  /// Every spelling of an address that is not public, and what is no address of the web.
  private static let forbidden = [
    "http://127.0.0.2/", "http://2130706434/", "http://0x7f000002/", "http://0177.0.0.2/", "http://127.2/",
    "http://0x7f.2/", "http://[::1]/", "http://[::ffff:127.0.0.2]/", "http://[::ffff:7f00:2]/", "http://[::]/",
    "http://0.0.0.0/", "http://0/", "http://localhost6/", "http://\u{FF11}\u{FF12}\u{FF17}.0.0.2/",
    "http://127\u{3002}0\u{3002}0\u{3002}2/", "http://10.0.0.1/", "http://172.16.0.1/", "http://192.168.1.1/",
    "http://169.254.169.254/latest/meta-data/", "http://100.64.0.1/", "http://224.0.0.1/", "http://255.255.255.255/",
    "http://[fe80::1]/", "http://[fc00::1]/", "http://[ff02::1]/", "http://[64:ff9b::7f00:2]/",
    "http://[2002:7f00:2::]/",
    "http://%31%32%37.0.0.2/", "http://127.0.0.2:80/", "http://user@example.com/", "http://user:pass@127.0.0.1/",
    "http://127.0.0.1@10.0.0.1/", "http://10.0.0.1#@127.0.0.1/", "http://10.0.0.1\\@127.0.0.1/", "ftp://127.0.0.1/",
    "file:///etc/passwd", "json:{\"driver\":\"nbd\"}", "nbd://127.0.0.1:1/", "nbd:127.0.0.1:1", "gopher://127.0.0.1/",
    "http:///etc/passwd", "http://", "//127.0.0.1/", "http://127.0.0.1 /", "http://a b/", "http://\u{202E}1.0.0.721/",
  ]

  @Test func aForbiddenAddressIsRefusedAtTheDoor() async throws {
    @Sendable func resolve(_ name: String) async -> [IPAddress] {
      name.contains("localhost") ? [IPAddress("::1")].compactMap { $0 } : await Resolver.shared.addresses(of: name)
    }
    try await ImportFixture.with(allowed: ["127.0.0.1/32"], resolver: resolve) { fixture in
      for url in Self.forbidden {
        #expect(await code { _ = try await fixture.importing(url) } == .urlForbidden, "\(url)")
      }
      let images = try await fixture.images.list(fixture.store.ana).page(.init())
      #expect(images.total == 1)
    }
  }

  /// DNS rebinding: a name whose answer changes is connected to by the address that was checked.
  @Test func aNameThatResolvesDifferentlyTheSecondTimeLeadsNowhereElse() async throws {
    let asked = Counter()
    @Sendable func resolve(_ name: String) async -> [IPAddress] {
      // At the door, and at the first of two looks, an allowed address; then one that is not.
      [IPAddress(asked.next() < 2 ? "127.0.0.1" : "127.0.0.3")].compactMap { $0 }
    }
    @Sendable func nothing(_ request: String) -> [Step] { [] }
    try await ScriptedServer.with(nothing) { canary in
      try await ImportFixture.with(allowed: ["127.0.0.1/32"], resolver: resolve) { fixture in
        let image = try await fixture.importing("http://rebinding.example:\(canary.port)/x")
        #expect(image.error?.code == "url_forbidden")
        #expect(canary.requests.count == 1)
      }
    }
  }
}
