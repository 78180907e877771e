import AsyncHTTPClient
import Foundation
import Libvirt
import Models
import TestSupport
import Testing

@testable import ComputeAgent

/// The agent's commands, with a domain of libvirt's in-process driver that is defined as the spec would have it.
@Suite(.timeLimit(.minutes(5))) struct LifecycleTests {
  struct Stage: Sendable {
    let lifecycle: VMLifecycle
    let id: VMID

    /// The epochs rise from call to call.
    let epochs = Counter()

    func apply(_ power: DesiredPower, boot: Int64 = 1, isForced: Bool = false) async throws -> VMReport {
      let spec = Samples.spec(id: id, power: power, boot: boot, isForced: isForced)
      return try await lifecycle.apply(spec, Fence(host: 1, generation: 5, epoch: Int64(epochs.next())))
    }

    func identity() async throws -> DomainIdentity? { try await lifecycle.hypervisor.find(id)?.identity }
  }

  private func withVM(_ body: (Stage) async throws -> Void) async throws {
    try await TestEnvironment.withFolder { folder in
      let libvirt = LibvirtConnection(uri: "test:///default")
      let folders = try AgentFolders(state: folder, run: folder)
      let stage = try makeStage(libvirt, folders)
      let id = stage.id
      let paths = try folders.make(id)
      try Data().write(to: URL(fileURLWithPath: paths.disk(1)))
      let definition = Definition(spec: Samples.spec(id: id), paths: paths, shape: Samples.emulated)
      var identity = DomainIdentity(owner: Samples.owner, generation: 1)
      identity.definition = definition.digest
      try await stage.lifecycle.hypervisor.define(Samples.testDomain(id, identity))
      let result: Result<Void, any Error>
      do { result = .success(try await body(stage)) } catch { result = .failure(error) }
      try? await stage.lifecycle.hypervisor.destroy(id)
      try? await stage.lifecycle.hypervisor.undefine(id)
      await libvirt.close()
      try result.get()
    }
  }

  private func makeStage(_ libvirt: LibvirtConnection, _ folders: AgentFolders) throws -> Stage {
    let hypervisor = Hypervisor(libvirt: libvirt, network: "default")
    let (views, book, queue) = (VMFolders(folders: folders), ReadinessBook(), VMQueue())
    let fences = try Fences(folder: folders.generations)
    let images = BaseImages(
      folder: folders.state,
      cache: try ImageCache(folder: "\(folders.state)/cache", limit: 0, download: ImageFetch(client: .shared)),
      digests: FileDigests())
    let arrivals = ArrivalDownloads(images: images, logger: .init(label: "test"))
    try Data("boot\n".utf8).write(to: URL(fileURLWithPath: "\(folders.state)/boot"))
    let facts = HostFactsReader(
      libvirt: libvirt, virtualisation: .emulated, folder: folders.state, bootIDFile: "\(folders.state)/boot")
    let freezer = Freezer(libvirt: libvirt, folders: folders, views: views, logger: .init(label: "test"))
    let captures = Captures(
      work: CaptureWork(
        hypervisor: hypervisor, freezer: freezer, folders: folders, views: views, turnstile: Turnstile()),
      freezer: freezer, folders: folders, fences: fences, queue: queue, logger: .init(label: "test"))
    let lifecycle = VMLifecycle(
      hypervisor: hypervisor, disks: VMDisks(images: images), shape: Samples.emulated,
      power: PowerControl(hypervisor: hypervisor, book: book, views: views),
      capper: Capper(hypervisor: hypervisor, logger: .init(label: "test")), captures: captures, arrivals: arrivals,
      book: book, folders: folders, views: views,
      reports: Reports(
        hypervisor: hypervisor, facts: facts, views: views, book: book, queue: queue, arrivals: arrivals,
        meters: Meters(libvirt: libvirt, interval: .seconds(10), logger: .init(label: "test"))),
      fences: fences, queue: queue)
    return Stage(lifecycle: lifecycle, id: .make())
  }

  @Test func aStartIsNotedBeforeItIsCarriedOut() async throws {
    try await withVM { stage in
      let report = try await stage.apply(.running, boot: 3)
      #expect(report.power == .running && report.boot == 3 && report.generation == 5)
      #expect(try await stage.identity()?.boot == 3)
      #expect(try await stage.apply(.running, boot: 3) == report)
    }
  }

  @Test func anotherStartEndsTheOneBefore() async throws {
    try await withVM { stage in
      _ = try await stage.apply(.running, boot: 1)
      let report = try await stage.apply(.running, boot: 2, isForced: true)
      #expect(report.power == .running && report.boot == 2)
      // The test driver's guest powers off at once when it is asked; then it is started.
      _ = try await stage.apply(.running, boot: 3)
      #expect(try await stage.apply(.running, boot: 3).boot == 3)
    }
  }

  @Test func aVMIsPausedAndGoesOn() async throws {
    try await withVM { stage in
      #expect(await Samples.code { _ = try await stage.apply(.paused) } == .invalidState)
      _ = try await stage.apply(.running)
      #expect(try await stage.apply(.paused).power == .paused)
      #expect(try await stage.apply(.running).power == .running)
      #expect(try await stage.apply(.stopped, isForced: true).power == .stopped)
    }
  }

  @Test func aCommandThatWasOvertakenChangesNothing() async throws {
    try await withVM { stage in
      _ = try await stage.apply(.running)
      let spec = Samples.spec(id: stage.id, power: .stopped, isForced: true)
      let lifecycle = stage.lifecycle
      for fence in [Fence(host: 1, generation: 4, epoch: 99), Fence(host: 1, generation: 0, epoch: 0)] {
        #expect(await Samples.code { _ = try await lifecycle.apply(spec, fence) } == .staleGeneration)
        #expect(await Samples.code { try await lifecycle.remove(stage.id, fence) } == .staleGeneration)
      }
      #expect(try await lifecycle.hypervisor.find(stage.id)?.power == .running)
    }
  }

  @Test func whatNobodyKnowsIsPutAsideAndTakenBack() async throws {
    try await withVM { stage in
      let lifecycle = stage.lifecycle
      _ = try await stage.apply(.running)
      #expect(await Samples.code { _ = try await lifecycle.quarantine(stage.id, generation: 4) } == .conflict)
      let aside = try #require(try await lifecycle.quarantine(stage.id, generation: 5))
      #expect(aside.power == .stopped && aside.quarantined != nil)
      #expect(try await lifecycle.quarantine(stage.id, generation: 6)?.quarantined == aside.quarantined)
      #expect(access(lifecycle.folders.paths(stage.id).folder, F_OK) == 0)
      #expect(try await stage.apply(.stopped).quarantined == nil)
      #expect(try await lifecycle.quarantine(.make(), generation: 6) == nil)
    }
  }

  @Test func whatIsRemovedMayBeRemovedAgain() async throws {
    try await withVM { stage in
      let lifecycle = stage.lifecycle
      _ = try await stage.apply(.running)
      for _ in 0..<2 {
        try await lifecycle.remove(stage.id, Fence(host: 1, generation: 6, epoch: 1))
        let found = try await lifecycle.hypervisor.find(stage.id)
        #expect(found?.id == nil)
        #expect(access(lifecycle.folders.paths(stage.id).folder, F_OK) != 0)
      }
    }
  }
}
