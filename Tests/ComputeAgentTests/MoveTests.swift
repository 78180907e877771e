import Crypto
import Foundation
import Models
import ServiceKit
import TestSupport
import Testing

@testable import ComputeAgent

@Suite struct OfferTests {
  private let signer = OfferSigner(key: SymmetricKey(size: .bits256))
  private let subject = OfferSigner.Subject(vm: Samples.id, disk: 2, digest: String(repeating: "ab", count: 32))
  private let now = Date(timeIntervalSince1970: 1_800_000_000)

  private func withFile(_ body: (String) async throws -> Void) async throws {
    try await TestEnvironment.withFolder { folder in
      let path = "\(folder)/disk-2.qcow2"
      try Data("disk".utf8).write(to: URL(fileURLWithPath: path))
      try await body(path)
    }
  }

  private func claim(_ url: String, vm: VMID = Samples.id) throws -> OfferSigner.Claim? {
    OfferSigner.Claim(vm: vm, query: try QueryString(URLComponents(string: url)?.percentEncodedQuery))
  }

  @Test func anOfferHoldsForAWhile() async throws {
    try await withFile { path in
      let stamp = try FileStamp(path)
      let url = signer.url(of: subject, stamp: stamp, at: now)
      #expect(url.hasPrefix("/v1/disks/\(Samples.id)?"))
      let claim = try #require(try claim(url))
      #expect(claim.subject == subject)
      #expect(signer.holds(claim, stamp: stamp, at: now) && signer.holds(claim, stamp: stamp, at: now + 3599))
      #expect(!signer.holds(claim, stamp: stamp, at: now + 3601))
    }
  }

  @Test func anOfferIsOfOneDiskAsItIs() async throws {
    try await withFile { path in
      let stamp = try FileStamp(path)
      let url = signer.url(of: subject, stamp: stamp, at: now)
      let another = try #require(try claim(url, vm: .make()))
      #expect(!signer.holds(another, stamp: stamp, at: now))
      let stranger = OfferSigner(key: SymmetricKey(size: .bits256))
      #expect(!stranger.holds(try #require(try claim(url)), stamp: stamp, at: now))
      try Data("disk, written to".utf8).write(to: URL(fileURLWithPath: path))
      #expect(!signer.holds(try #require(try claim(url)), stamp: try FileStamp(path), at: now))
    }
  }

  @Test(arguments: [
    ("expires=1800003600", "expires=1900003600"), ("disk=2", "disk=1"), ("digest=ab", "digest=bb"),
    ("signature=", "signature=0"), ("expires=1800003600", "expires=x"),
  ])
  func whatWasTamperedWithIsRefused(_ old: String, _ new: String) async throws {
    try await withFile { path in
      let stamp = try FileStamp(path)
      let url = signer.url(of: subject, stamp: stamp, at: now).replacing(old, with: new)
      #expect(!signer.holds(try #require(try claim(url)), stamp: stamp, at: now))
    }
  }

  @Test(arguments: ["expires", "disk", "digest", "signature"])
  func whatLacksSomethingIsNoClaim(_ name: String) async throws {
    try await withFile { path in
      let url = signer.url(of: subject, stamp: try FileStamp(path), at: now)
      #expect(try claim(url.replacing("\(name)=", with: "no\(name)=")) == nil)
    }
  }
}

@Suite struct ArrivalTests {
  private func header(_ path: String) throws -> [UInt8] { Array(try Data(contentsOf: URL(fileURLWithPath: path))) }

  private func withDisk(_ options: String..., body: (String) async throws -> Void) async throws {
    try await TestEnvironment.withFolder { folder in
      let path = "\(folder)/disk.qcow2"
      try await Shell.run("qemu-img", arguments: ["create", "-q", "-f", "qcow2"] + options + [path, "1G"])
      try await body(path)
    }
  }

  private func code(_ path: String, limit: Int64 = 1 << 30) async -> ErrorCode? {
    await Samples.code { _ = try OverlayHeader(file: path, limit: limit) }
  }

  @Test func anOverlayIsTakenWithinItsSize() async throws {
    try await withDisk("-u", "-F", "qcow2", "-b", "/nowhere/base.qcow2") { path in
      let header = try OverlayHeader(file: path, limit: 1 << 30)
      #expect(header.virtualSize == 1 << 30)
      #expect(await code(path, limit: 1 << 29) == .tooLarge)
    }
  }

  @Test func whatNamesAnotherFileForItsDataIsRefused() async throws {
    try await TestEnvironment.withFolder { folder in
      try await withDisk("-o", "data_file=\(folder)/data") { path in #expect(await code(path) == .unsafeImage) }
    }
  }

  @Test func anOldVersionIsRefused() async throws {
    try await withDisk("-o", "compat=0.10") { path in #expect(await code(path) == .unsafeImage) }
  }

  @Test(arguments: [(35, 1), (63, 1), (79, 2), (79, 4), (72, 128)])
  func unknownOrHarmfulFeaturesAreRefused(_ offset: Int, _ value: UInt8) async throws {
    try await withDisk { path in
      var bytes = try header(path)
      bytes[offset] = value
      #expect(await Samples.code { _ = try OverlayHeader(bytes, limit: 1 << 30) } == .unsafeImage)
    }
  }

  @Test func whatIsNoDiskIsRefused() async throws {
    #expect(await Samples.code { _ = try OverlayHeader([], limit: 1) } == .badFormat)
    #expect(await Samples.code { _ = try OverlayHeader([UInt8](repeating: 0, count: 200), limit: 1) } == .badFormat)
  }

  /// The file that the header names need not exist, and is not looked for.
  @Test func theNameOfTheImageIsWrittenWithoutLookingAtTheOldOne() async throws {
    try await withDisk("-u", "-F", "raw", "-b", "nbd://127.0.0.1:1/x") { path in
      let base = path + ".base"
      try await Shell.run("qemu-img", "create", "-q", "-f", "qcow2", base, "64M")
      try await QemuImg.name(base, under: path)
      try await QemuImg.check(path)
      #expect(try await QemuImg.information(path).backingFile == base)
    }
  }

  @Test func aDiskThatIsCutOffIsDamaged() async throws {
    try await withDisk { path in
      try await Shell.run("qemu-io", "-f", "qcow2", "-c", "write 0 10M", path)
      #expect(truncate(path, 1 << 20) == 0)
      #expect(await Samples.code { try await QemuImg.check(path) } == .corrupt)
    }
  }
}
