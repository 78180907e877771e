import AsyncHTTPClient
import Foundation
import Libvirt
import Models
import TestSupport
import Testing

@testable import ComputeAgent

@Suite struct ReportTests {
  struct Case: Sendable {
    let state: DomainState
    let reason: Int32
    let power: ObservedPower
    let cause: PowerCause?
  }

  /// The numbers are libvirt's: virDomainShutoffReason and virDomainPausedReason.
  @Test(arguments: [
    Case(state: .shutoff, reason: 0, power: .stopped, cause: nil),
    Case(state: .shutoff, reason: 1, power: .stopped, cause: .guest),
    Case(state: .shutoff, reason: 2, power: .stopped, cause: .hand),
    Case(state: .shutoff, reason: 3, power: .stopped, cause: .failure),
    Case(state: .shutoff, reason: 6, power: .stopped, cause: .failure),
    Case(state: .shutoff, reason: 8, power: .stopped, cause: nil),
    Case(state: .paused, reason: 1, power: .paused, cause: .hand),
    Case(state: .paused, reason: 5, power: .paused, cause: .disk),
    Case(state: .paused, reason: 3, power: .paused, cause: nil),
    Case(state: .running, reason: 1, power: .running, cause: nil),
    Case(state: .shutdown, reason: 1, power: .running, cause: nil),
    Case(state: .crashed, reason: 1, power: .crashed, cause: nil),
  ])
  func libvirtsWordsAreTranslated(_ one: Case) {
    let owned = Samples.owned(one.state, reason: one.reason)
    #expect(owned.power == one.power && owned.domain.cause == one.cause)
  }

  @Test func aVMIsReportedWithAllThatIsKnownOfIt() {
    let identity = DomainIdentity(
      owner: Samples.owner, generation: 4, boot: 3, disk: 2, quarantined: Date(timeIntervalSince1970: 9))
    let image = ImageID.make()
    let view = VMFolders.View(hasDisk: true, hostKeys: ["k"], captures: [image])
    let steps = [ReadinessStep(stage: .defined, at: Date(timeIntervalSince1970: 1), evidence: "e")]
    func report(_ state: DomainState) -> VMReport {
      VMReport(
        Samples.owned(state, identity), view: view, leases: [Samples.lease("192.0.2.5", until: nil)], steps: steps,
        bootID: "b")
    }
    var expected = VMReport(
      id: Samples.id, owner: Samples.owner, generation: 4, power: .running, boot: 3, bootID: "b", hasDisk: true,
      quarantined: Date(timeIntervalSince1970: 9), addresses: [VMAddress(ip: "192.0.2.5", mac: "52:54:00:e9:71:fc")],
      readiness: steps, hostKeys: ["k"], captures: [image])
    #expect(report(.running) == expected)
    // A lease outlives the run that it was given to.
    expected.power = .stopped
    expected.addresses = []
    #expect(report(.shutoff) == expected)
  }

  @Test func whatHasNoDomainRemains() async throws {
    try await TestEnvironment.withFolder { folder in
      let libvirt = LibvirtConnection(uri: "test:///default")
      let hypervisor = Hypervisor(libvirt: libvirt, network: "default")
      let folders = try AgentFolders(state: folder, run: folder)
      let (views, queue, id, left) = (VMFolders(folders: folders), VMQueue(), VMID.make(), VMID.make())
      try await hypervisor.define(Samples.testDomain(id, DomainIdentity(owner: Samples.owner, generation: 2)))
      for each in [id, left] { _ = try folders.make(each) }
      try FileManager.default.createDirectory(atPath: "\(folders.vms)/other", withIntermediateDirectories: true)
      try Data("boot-1\n".utf8).write(to: URL(fileURLWithPath: "\(folder)/boot"))
      let facts = HostFactsReader(
        libvirt: libvirt, virtualisation: .emulated, folder: folder, bootIDFile: "\(folder)/boot")
      let images = BaseImages(
        folder: folder,
        cache: try ImageCache(folder: "\(folder)/cache", limit: 0, download: ImageFetch(client: .shared)),
        digests: FileDigests())
      let reports = Reports(
        hypervisor: hypervisor, facts: facts, views: views, book: ReadinessBook(), queue: queue,
        arrivals: ArrivalDownloads(images: images, logger: .init(label: "test")),
        meters: Meters(libvirt: libvirt, interval: .zero, logger: .init(label: "test")))
      let first = try await reports.host()
      #expect(first.remains == [left] && first.facts.bootID == "boot-1")
      #expect(first.facts.agentVersion == AgentVersion.current)
      let vm = try #require(first.vms.first { $0.id == id })
      #expect(vm.generation == 2 && vm.power == .stopped && !vm.hasDisk && vm.readiness.map(\.stage) == [.defined])
      // What is being made is no remains, and the host was started anew.
      try Data("boot-2\n".utf8).write(to: URL(fileURLWithPath: "\(folder)/boot"))
      let second = try await queue.alone(with: left) { try await reports.host() }
      #expect(second.remains.isEmpty && second.run == first.run && second.sequence == first.sequence + 1)
      #expect(second.facts.bootID == "boot-2" && second.vms.first { $0.id == id }?.bootID == "boot-2")
      try await hypervisor.undefine(id)
      await libvirt.close()
    }
  }
}
