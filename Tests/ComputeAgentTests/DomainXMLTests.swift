import Foundation
import Libvirt
import Models
import TestSupport
import Testing

@testable import ComputeAgent

@Suite struct DomainXMLTests {
  static func spec(name: String = "demo", generation: Int64 = 3) -> VMSpec {
    VMSpec(
      id: VMID("01a1fc98-f001-7641-8022-230850e971fc") ?? .make(),
      owner: UserID("01a1fc98-314e-7ae0-83d9-d48082199627") ?? .make(), generation: generation, name: name, mem: 512,
      vcpus: 2, disk: 1, image: .make(), imageSHA256: "", imageSize: 0, imageURL: "", sshKeys: [], power: .stopped)
  }

  private func document(_ spec: VMSpec, _ virtualisation: Virtualisation = .emulated) -> String {
    DomainXML(
      spec: spec, paths: VMPaths(folder: "/vms/x", consoleSocket: "/run/x.console"), virtualisation: virtualisation,
      network: "default"
    ).document
  }

  @Test func theDomainIsAsRecorded() throws {
    let path = TestEnvironment.root.appendingPathComponent("Tests/ComputeAgentTests/Golden/domain.xml")
    #expect(document(Self.spec()) == (try String(contentsOf: path, encoding: .utf8)))
  }

  @Test func kvmUsesTheHostsCPU() {
    let xml = document(Self.spec(), .kvm)
    #expect(xml.hasPrefix("<domain type='kvm'>") && xml.contains("host-passthrough") && !xml.contains("tb-cache"))
  }

  @Test func whatUsersSayIsEscaped() {
    let xml = document(Self.spec(name: "a</title><devices>&'\""))
    #expect(xml.contains("<title>a&lt;/title&gt;&lt;devices&gt;&amp;&apos;&quot;</title>"))
  }

  @Test func theIdentityIsReadBackFromLibvirt() async throws {
    let libvirt = LibvirtConnection(uri: "test:///default")
    let spec = Self.spec()
    let plain = """
      <domain type='test'><name>t</name><uuid>\(spec.id)</uuid><memory>1024</memory><os><type>hvm</type></os>
      <metadata><iaas:vm xmlns:iaas='\(DomainIdentity.namespace)' owner='\(spec.owner)' generation='7'/></metadata>
      </domain>
      """
    _ = try await libvirt.define(xml: plain)
    let hypervisor = Hypervisor(libvirt: libvirt, network: "default")
    #expect(try await hypervisor.find(spec.id)?.identity == DomainIdentity(owner: spec.owner, generation: 7))
    try await hypervisor.note(DomainIdentity(owner: spec.owner, generation: 8), on: spec.id)
    #expect(try await hypervisor.find(spec.id)?.identity.generation == 8)
    // The test driver's own domain carries no metadata of ours, and so is none of ours.
    #expect(try await hypervisor.all().map(\.domain.uuid) == [spec.id.uuid])
    try await hypervisor.undefine(spec.id)
    await libvirt.close()
  }

  @Test(arguments: ["", "<vm/>", "<vm owner='x' generation='1'/>", "<vm generation='1'/>"])
  func otherMetadataIsNotOurs(_ text: String) { #expect(DomainIdentity(metadata: text) == nil) }
}

@Suite struct AgentStateTests {
  private func enrolment(_ installation: UUIDText, password: String = "right", secret: String = "s") -> Enrolment {
    Enrolment(user: "agent", password: password, installation: installation, secret: secret)
  }

  private func code(_ body: () async throws -> Void) async -> ErrorCode? {
    do { try await body() } catch let error as ServiceError { return error.code } catch {}
    return nil
  }

  @Test func anAgentBelongsToOneInstallationAlsoAfterARestart() async throws {
    try await TestEnvironment.withFolder { folder in
      let (ours, theirs) = (UUIDText.make(), UUIDText.make())
      let enrolments = try Enrolments(folder: folder, user: "agent", password: "right")
      #expect(await !enrolments.accepts("s"))
      #expect(await code { try await enrolments.enrol(enrolment(ours, password: "wrong")) } == .invalidCredentials)
      try await enrolments.enrol(enrolment(ours))
      #expect(await code { try await enrolments.enrol(enrolment(theirs)) } == .conflict)
      try await enrolments.enrol(enrolment(ours, secret: "t"))
      let restarted = try Enrolments(folder: folder, user: "agent", password: "right")
      #expect(await restarted.accepts("t"))
      #expect(await !restarted.accepts("s"))
      #expect(await !restarted.accepts(""))
      #expect(await code { try await restarted.enrol(enrolment(theirs)) } == .conflict)
    }
  }

  @Test func passwordsCannotBeGuessedForLong() async throws {
    try await TestEnvironment.withFolder { folder in
      let enrolments = try Enrolments(folder: folder, user: "agent", password: "right")
      var codes: [ErrorCode?] = []
      for _ in 0..<12 { codes.append(await code { try await enrolments.enrol(enrolment(.make(), password: "wrong")) }) }
      #expect(
        codes.prefix(10).allSatisfy { $0 == .invalidCredentials }
          && codes.suffix(2) == [.tooManyRequests, .tooManyRequests])
      #expect(await code { try await enrolments.enrol(enrolment(.make())) } == .tooManyRequests)
    }
  }

  @Test func aLateCommandIsRefusedAlsoAfterARestart() async throws {
    try await TestEnvironment.withFolder { folder in
      let id = VMID.make()
      let generations = try Generations(folder: folder)
      try await generations.accept(5, of: id)
      try await generations.accept(5, of: id)
      #expect(await code { try await generations.accept(4, of: id) } == .staleGeneration)
      let restarted = try Generations(folder: folder)
      #expect(await code { try await restarted.accept(4, of: id) } == .staleGeneration)
      try await restarted.accept(6, of: id)
      try await restarted.accept(1, of: .make())
    }
  }

  @Test func theCertificateIsMadeOnceAndKept() async throws {
    try await TestEnvironment.withFolder { folder in
      let first = try AgentCertificate.load(folder: folder, hostname: "host")
      #expect(try AgentCertificate.load(folder: folder, hostname: "host").fingerprint == first.fingerprint)
      #expect(first.fingerprint.count == 64)
      let mode = try FileManager.default.attributesOfItem(atPath: "\(folder)/agent.pem")[.posixPermissions] as? Int
      #expect(mode == 0o600)
    }
  }

  @Test func aFolderTooDeepForSocketsEndsTheStart() async throws {
    try await TestEnvironment.withFolder { folder in
      let deep = folder + "/" + String(repeating: "d", count: 80)
      #expect(throws: (any Error).self) { try AgentFolders(state: folder, run: deep) }
    }
  }
}
