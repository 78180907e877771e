import Foundation
import Models
import TestSupport
import Testing

@testable import ComputeAgent

@Suite struct HostKeysTests {
  /// A key whose bytes say what type it is.
  private func key(_ type: String = "ssh-ed25519", inside: String? = nil, _ fill: UInt8 = 7) -> String {
    let name = Data((inside ?? type).utf8)
    let blob = withUnsafeBytes(of: UInt32(name.count).bigEndian) { Data($0) } + name + Data(repeating: fill, count: 36)
    return "\(type) \(blob.base64EncodedString())"
  }

  private func console(_ lines: String...) -> Data {
    let block = (["-----BEGIN SSH HOST KEY KEYS-----"] + lines + ["-----END SSH HOST KEY KEYS-----"])
    return Data(("boot\r\n" + block.joined(separator: "\r\n") + "\r\nlogin: ").utf8)
  }

  @Test func cloudInitsBlockIsRead() {
    let (first, second) = (key(), key("ecdsa-sha2-nistp256"))
    #expect(HostKeys.inConsole(console(first + " root@demo", second)) == [first, second])
  }

  @Test func theLastWholeBlockCounts() {
    let (old, new) = (key("ssh-ed25519", 1), key("ssh-ed25519", 2))
    let cut = Data("-----BEGIN SSH HOST KEY KEYS-----\n\(key("ssh-ed25519", 3))\n".utf8)
    #expect(HostKeys.inConsole(console(old) + console(new) + cut) == [new])
    // One without a key is no block.
    #expect(HostKeys.inConsole(console(old) + console("nothing")) == [old])
    #expect(HostKeys.inConsole(cut) == nil && HostKeys.inConsole(Data()) == nil)
    #expect(HostKeys.inConsole(Data("-----END SSH HOST KEY KEYS-----".utf8) + cut) == nil)
  }

  @Test func whatIsNoKeyIsLeftOut() {
    let good = key("ssh-rsa")
    let hostile = [
      key("ssh-dss"), key("ssh-ed25519", inside: "ssh-rsa"), "ssh-ed25519 !!!!", "ssh-ed25519", "ssh-ed25519 AAAA",
      "\u{1b}[2Jssh-ed25519 " + String(key().dropFirst(12)), "command=\"x\" " + key(),
    ]
    #expect(HostKeys.keys(inLines: Data((hostile + [good, good]).joined(separator: "\n").utf8)) == [good])
  }

  @Test func aGuestCannotMakeThemMany() {
    let many = (0..<20).map { key("ssh-ed25519", UInt8($0)) }.joined(separator: "\n")
    #expect(HostKeys.keys(inLines: Data(many.utf8)).count == HostKeys.limit)
    let long = String(repeating: "x", count: HostKeys.blockLimit)
    #expect(HostKeys.inConsole(console(key(), long)) == nil)
    let rubbish = Data((0..<100_000).map { _ in UInt8.random(in: .min ... .max) })
    #expect(HostKeys.keys(inLines: rubbish).isEmpty && HostKeys.inConsole(rubbish) == nil)
  }

  @Test func keysBelongToADisk() async throws {
    try await TestEnvironment.withFolder { folder in
      let path = "\(folder)/host-keys"
      #expect(KnownHostKeys.read(path, disk: 1) == [])
      try KnownHostKeys(disk: 1, keys: ["a"]).write(to: path)
      #expect(KnownHostKeys.read(path, disk: 1) == ["a"] && KnownHostKeys.read(path, disk: 2) == [])
      try Data("{".utf8).write(to: URL(fileURLWithPath: path))
      #expect(KnownHostKeys.read(path, disk: 1) == [])
    }
  }
}
