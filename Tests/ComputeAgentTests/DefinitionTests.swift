import Foundation
import Models
import ServiceKit
import TestSupport
import Testing

@testable import ComputeAgent

@Suite struct DefinitionTests {
  private func digest(_ spec: VMSpec, _ shape: HostShape = Samples.emulated) -> String {
    Definition(spec: spec, paths: Samples.paths, shape: shape).digest
  }

  @Test func theDigestChangesWithWhatTheGuestOrItsMachineWillSee() {
    let plain = digest(Samples.spec())
    #expect(plain.count == 64 && plain == digest(Samples.spec(power: .running, boot: 7, isForced: true)))
    let kvm = HostShape(virtualisation: .kvm, arch: "x86_64", network: "default")
    let others = [
      digest(Samples.spec(name: "other")), digest(Samples.spec(disk: 2)), digest(Samples.spec(diskNumber: 2)),
      digest(Samples.spec(sshKeys: ["ssh-ed25519 A"])), digest(Samples.spec(userData: "#!/bin/sh")),
      digest(Samples.spec(), kvm),
    ]
    #expect(Set(others + [plain]).count == others.count + 1)
  }

  @Test func aDescriptionIsReplacedOnlyWhileTheGuestIsOff() {
    #expect(Definition.step(power: nil, noted: nil, wanted: "a") == .make)
    #expect(Definition.step(power: .stopped, noted: "a", wanted: "a") == .keep)
    #expect(Definition.step(power: .stopped, noted: "b", wanted: "a") == .replace)
    #expect(Definition.step(power: .stopped, noted: nil, wanted: "a") == .replace)
    for power in [ObservedPower.running, .paused, .crashed] {
      #expect(Definition.step(power: power, noted: "b", wanted: "a") == .keep)
    }
  }

  @Test func onlyWhatIsOlderThanTheDiskIsRemoved() async throws {
    try await TestEnvironment.withFolder { folder in
      let paths = VMPaths(folder: folder, consoleSocket: "")
      let old = ["disk.qcow2", "base.qcow2", "disk-2.qcow2", "disk-2.qcow2.part"]
      let kept = ["disk-3.qcow2", "base-3.qcow2", "disk-4.qcow2", "seed.iso", "console.log"]
      for name in old + kept { try Data().write(to: URL(fileURLWithPath: "\(folder)/\(name)")) }
      try await VMDisks.removeOlder(than: 3, at: paths)
      #expect(try FileManager.default.contentsOfDirectory(atPath: folder).sorted() == kept.sorted())
    }
  }

  @Test func aDiskGrowsAndNeverShrinks() async throws {
    try await TestEnvironment.withFolder { folder in
      let path = "\(folder)/disk.qcow2"
      try await Shell.run("qemu-img", "create", "-q", "-f", "qcow2", path, "2G")
      try await QemuImg.grow(path, toGibibytes: 1)
      #expect(try await QemuImg.information(path).virtualSize == 2 << 30)
      try await QemuImg.grow(path, toGibibytes: 3)
      #expect(try await QemuImg.information(path).virtualSize == 3 << 30)
    }
  }
}

@Suite struct SeedTests {
  private func file(_ name: String, _ spec: VMSpec) -> String {
    let content = Seed(spec: spec).files.first { $0.name == name }?.content
    return content.map { String(decoding: $0, as: UTF8.self) } ?? "none"
  }

  @Test func withoutDataOfTheOwnersOursIsTheUserData() {
    let spec = Samples.spec(sshKeys: ["ssh-ed25519 AAAA a \"comment\""])
    #expect(Seed(spec: spec).files.map(\.name) == ["meta-data", "user-data", "vendor-data"])
    #expect(
      file("meta-data", spec)
        == #"{"instance-id":"\#(spec.id)","local-hostname":"demo","public-keys":["ssh-ed25519 AAAA a \"comment\""]}"#)
    #expect(
      file("user-data", spec)
        == "#cloud-config\n"
        + #"{"disable_root":false,"hostname":"demo","ssh_authorized_keys":["ssh-ed25519 AAAA a \"comment\""]}"#)
    #expect(file("vendor-data", spec) == "#cloud-config\n{}")
  }

  @Test func dataOfTheOwnersIsGivenAsItIs() {
    let data = "#!/bin/sh\necho 'ü: \"'\n"
    let spec = Samples.spec(sshKeys: ["k"], userData: data)
    #expect(file("user-data", spec) == data)
    #expect(file("vendor-data", spec) == file("user-data", Samples.spec(sshKeys: ["k"])))
    #expect(file("meta-data", spec) == file("meta-data", Samples.spec(sshKeys: ["k"])))
  }

  @Test func aNewDiskIsANewInstance() {
    #expect(file("meta-data", Samples.spec(diskNumber: 2)).contains("\"instance-id\":\"\(Samples.id)-2\""))
  }
}
