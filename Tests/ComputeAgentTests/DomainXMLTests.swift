import Foundation
import Libvirt
import Models
import TestSupport
import Testing

@testable import ComputeAgent

@Suite struct DomainXMLTests {
  private func document(_ spec: VMSpec, _ virtualisation: Virtualisation = .emulated, arch: String = "x86_64") -> String
  {
    let shape = HostShape(virtualisation: virtualisation, arch: arch, network: "default")
    return DomainXML(spec: spec, paths: Samples.paths, shape: shape)
      .document(DomainIdentity(owner: spec.owner, generation: 3, boot: 2, disk: 1, definition: "ab12"))
  }

  @Test func theDomainIsAsRecorded() throws {
    let path = TestEnvironment.root.appendingPathComponent("Tests/ComputeAgentTests/Golden/domain.xml")
    #expect(document(Samples.spec()) == (try String(contentsOf: path, encoding: .utf8)))
  }

  @Test func kvmUsesTheHostsCPU() {
    let xml = document(Samples.spec(), .kvm)
    #expect(xml.hasPrefix("<domain type='kvm'>") && xml.contains("host-passthrough") && !xml.contains("tb-cache"))
  }

  @Test func anotherArchitectureHasItsOwnMachine() {
    let xml = document(Samples.spec(), .kvm, arch: "aarch64")
    #expect(xml.contains("<os firmware='efi'>") && xml.contains("<type arch='aarch64' machine='virt'>hvm</type>"))
    #expect(!xml.contains("<apic/>") && !xml.contains("q35") && !xml.contains("'vga'"))
  }

  @Test func whatUsersSayIsEscaped() {
    let xml = document(Samples.spec(name: "a</title><devices>&'\""))
    #expect(xml.contains("<title>a&lt;/title&gt;&lt;devices&gt;&amp;&apos;&quot;</title>"))
  }

  @Test func aLaterDiskHasItsNumberInItsName() {
    #expect(document(Samples.spec(diskNumber: 3)).contains("<source file='/vms/x/disk-3.qcow2'/>"))
    #expect(VMPaths.diskNumber(ofFile: "disk.qcow2") == 1 && VMPaths.diskNumber(ofFile: "base-12.qcow2") == 12)
    #expect(VMPaths.diskNumber(ofFile: "disk-2.qcow2.part") == 2)
    for name in ["disk-.qcow2", "disk-2.qcow2.new", "seed.iso", "disk-x.qcow2", "xdisk.qcow2"] {
      #expect(VMPaths.diskNumber(ofFile: name) == nil)
    }
  }

  @Test func theIdentityIsReadBackFromLibvirt() async throws {
    let libvirt = LibvirtConnection(uri: "test:///default")
    let id = VMID.make()
    let hypervisor = Hypervisor(libvirt: libvirt, network: "default")
    var identity = DomainIdentity(owner: Samples.owner, generation: 7, boot: 4, disk: 2, definition: "ab12")
    try await hypervisor.define(Samples.testDomain(id, identity))
    #expect(try await hypervisor.find(id)?.identity == identity)
    identity.generation = 8
    identity.caps = Caps(cpuShare: 50, diskOperationsPerSecond: 1000)
    identity.quarantined = Date(timeIntervalSince1970: 1_800_000_000)
    try await hypervisor.note(identity, on: id)
    #expect(try await hypervisor.find(id)?.identity == identity)
    // The test driver's own domain carries no metadata of ours, and so is none of ours.
    let listing = try await hypervisor.list()
    #expect(listing.owned.contains { $0.id == id } && !listing.strangers.isEmpty)
    #expect(!listing.strangers.contains(id.uuid))
    try await hypervisor.undefine(id)
    await libvirt.close()
  }

  @Test func whatWasMadeByAnEarlierVersionIsAFirstStart() {
    let old = "<iaas:vm xmlns:iaas=\"x\" owner=\"\(Samples.owner)\" generation='7'/>"
    #expect(DomainIdentity(metadata: old) == DomainIdentity(owner: Samples.owner, generation: 7))
    #expect(DomainIdentity(metadata: old)?.definition == nil && DomainIdentity(metadata: old)?.boot == 1)
  }

  @Test(arguments: ["", "<vm/>", "<vm owner='x' generation='1'/>", "<vm generation='1'/>"])
  func otherMetadataIsNotOurs(_ text: String) { #expect(DomainIdentity(metadata: text) == nil) }
}
