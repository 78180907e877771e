import Foundation
import Libvirt
import Models
import ServiceKit
import TestSupport
import Testing

@testable import ComputeAgent

@Suite struct CapturePlanTests {
  @Test func theVMsStateDecidesHowItsDiskIsCopied() {
    func plan(_ power: ObservedPower, well: Bool = true, freezes: Bool = false) -> CapturePlan {
      CapturePlan(power: power, endedWell: well, canFreeze: freezes)
    }
    #expect(plan(.stopped) == .copy(.stopped) && plan(.stopped, well: false) == .copy(.crash))
    #expect(plan(.running, freezes: true) == .backup(.frozen) && plan(.running) == .needsPowerOff)
    #expect(plan(.paused) == .backup(.crash) && plan(.crashed) == .needsPowerOff)
  }

  @Test func howAGuestEndedIsRememberedWhereLibvirtForgets() async throws {
    try await TestEnvironment.withFolder { folder in
      let folders = try AgentFolders(state: folder, run: folder)
      let (views, id) = (VMFolders(folders: folders), VMID.make())
      let paths = try folders.make(id)
      // It never ran.
      #expect(await views.endedWell(id, cause: nil))
      try Data().write(to: URL(fileURLWithPath: paths.consoleLog))
      #expect(await !views.endedWell(id, cause: nil))
      #expect(await views.endedWell(id, cause: .guest))
      try await views.noteEnd(of: id)
      #expect(await views.endedWell(id, cause: nil))
      for cause in [PowerCause.hand, .failure] { #expect(await !views.endedWell(id, cause: cause)) }
      try await views.markStart(of: id)
      #expect(await !views.endedWell(id, cause: nil))
    }
  }

  @Test func oneGoesThroughAtATimeAndWhoeverGivesUpIsLeftOut() async throws {
    let turnstile = Turnstile()
    let (inside, most) = (Counter(), Counter())
    try await withThrowingTaskGroup(of: Void.self) { group in
      for _ in 0..<20 {
        group.addTask {
          try await turnstile.pass {
            if inside.next() % 2 != 0 { _ = most.next() }
            await Task.yield()
            _ = inside.next()
          }
        }
      }
      try await group.waitForAll()
    }
    // Entries and exits take turns, so that every entry sees an even count.
    #expect(most.next() == 0)
    let holder = Task { try await turnstile.pass { try await Task.sleep(for: .seconds(60)) } }
    try await Task.sleep(for: .milliseconds(50))
    let waiter = Task { try await turnstile.pass {} }
    waiter.cancel()
    await #expect(throws: CancellationError.self) { try await waiter.value }
    holder.cancel()
    try await turnstile.pass {}
  }
}

/// Copies of real disks of VMs that libvirt's in-process driver pretends to run.
@Suite(.timeLimit(.minutes(5))) struct CaptureTests {
  struct Stage: Sendable {
    let captures: Captures
    let hypervisor: Hypervisor
    let folders: AgentFolders
    let id: VMID
    var paths: VMPaths { folders.paths(id) }

    func capture(_ image: ImageID, epoch: Int64 = 1) async throws -> Capture {
      try await captures.capture(id, for: image, Fence(host: 1, generation: 1, epoch: epoch))
    }

    func finished(_ image: ImageID) async throws -> Capture {
      var last: Capture?
      try await eventually("the copy is made") {
        let capture = try await self.capture(image)
        last = capture
        return capture.isDone
      }
      return try #require(last)
    }
  }

  private func withVM(_ body: (Stage) async throws -> Void) async throws {
    try await TestEnvironment.withFolder { folder in
      let libvirt = LibvirtConnection(uri: "test:///default")
      let hypervisor = Hypervisor(libvirt: libvirt, network: "default")
      let folders = try AgentFolders(state: folder, run: folder)
      let (views, id) = (VMFolders(folders: folders), VMID.make())
      let freezer = Freezer(libvirt: libvirt, folders: folders, views: views, logger: .init(label: "test"))
      let captures = Captures(
        work: CaptureWork(
          hypervisor: hypervisor, freezer: freezer, folders: folders, views: views, turnstile: Turnstile()),
        freezer: freezer, folders: folders, fences: try Fences(folder: folders.generations), queue: VMQueue(),
        logger: .init(label: "test"))
      let stage = Stage(captures: captures, hypervisor: hypervisor, folders: folders, id: id)
      try await hypervisor.define(Samples.testDomain(id, DomainIdentity(owner: Samples.owner, generation: 1)))
      let paths = try folders.make(id)
      try await Shell.run("qemu-img", "create", "-q", "-f", "qcow2", paths.base(1), "64M")
      try await QemuImg.create(paths.disk(1), over: paths.base(1), gibibytes: 1)
      let result: Result<Void, any Error>
      do { result = .success(try await body(stage)) } catch { result = .failure(error) }
      try? await hypervisor.destroy(id)
      try await hypervisor.undefine(id)
      await libvirt.close()
      try result.get()
    }
  }

  @Test func theDiskOfAVMThatIsOffIsCopiedOnce() async throws {
    try await withVM { stage in
      let image = ImageID.make()
      let begun = try await stage.capture(image)
      #expect(!begun.isDone && !begun.needsPowerOff)
      let capture = try await stage.finished(image)
      #expect(capture.consistency == .stopped && capture.size > 0)
      let path = try stage.captures.path(of: stage.id, for: image)
      let information = try await QemuImg.information(path)
      #expect(information.backingFile == nil && information.virtualSize == 1 << 30)
      let stamp = try FileStamp(path)
      #expect(try await stage.capture(image) == capture)
      #expect(try FileStamp(path) == stamp)
      #expect(CaptureFiles.images(in: stage.paths.captures) == [image])
      try await stage.captures.remove(stage.id, for: image)
      #expect(access(stage.paths.captures, F_OK) != 0)
      #expect(throws: ServiceError.self) { try stage.captures.path(of: stage.id, for: image) }
    }
  }

  @Test func whatAnEarlierProcessBeganIsBegunAnew() async throws {
    try await withVM { stage in
      let files = CaptureFiles(paths: stage.paths, image: .make())
      try files.prepare()
      try Data("half".utf8).write(to: URL(fileURLWithPath: files.part))
      #expect(CaptureFiles.images(in: files.folder) == [files.image] && files.finished == nil)
      #expect(try await stage.finished(files.image).isDone)
      #expect(!CaptureFiles.hasPart(in: files.folder))
    }
  }

  @Test func aGuestThatCannotHoldStillHasToBeOff() async throws {
    try await withVM { stage in
      try await stage.hypervisor.start(stage.id)
      let capture = try await stage.capture(.make())
      #expect(capture.needsPowerOff && !capture.isDone && capture.consistency == nil)
      #expect(access(stage.paths.captures, F_OK) != 0)
      try await stage.hypervisor.destroy(stage.id)
      try Data().write(to: URL(fileURLWithPath: stage.paths.consoleLog))
      #expect(try await stage.finished(.make()).consistency == .crash)
    }
  }

  /// Its guest would be off for as long as others' copies take.
  @Test func noGuestIsStoppedForACopyThatCannotBeginYet() async throws {
    try await withVM { stage in
      let other = VMID.make()
      try await stage.hypervisor.define(Samples.testDomain(other, DomainIdentity(owner: Samples.owner, generation: 1)))
      _ = try stage.folders.make(other)
      let result: Result<Void, any Error>
      do {
        try await stage.hypervisor.start(other)
        try await stage.hypervisor.start(stage.id)
        let (mine, others) = (ImageID.make(), ImageID.make())
        #expect(try await stage.capture(mine).needsPowerOff)
        let fence = Fence(host: 1, generation: 1, epoch: 1)
        // The first has the next turn, until it is off and its copy is made.
        let waiting = try await stage.captures.capture(other, for: others, fence)
        #expect(!waiting.needsPowerOff && !waiting.isDone)
        try await stage.hypervisor.destroy(stage.id)
        #expect(try await stage.finished(mine).isDone)
        try await eventually("the other's turn") {
          try await stage.captures.capture(other, for: others, fence).needsPowerOff
        }
        result = .success(())
      } catch { result = .failure(error) }
      try? await stage.hypervisor.destroy(other)
      try await stage.hypervisor.undefine(other)
      try result.get()
    }
  }

  @Test func aFailureIsToldOnceAndLeavesNothing() async throws {
    try await withVM { stage in
      let image = ImageID.make()
      let disk = stage.paths.disk(1)
      #expect(rename(disk, disk + ".away") == 0)
      _ = try await stage.capture(image)
      var code: ErrorCode?
      try await eventually("it fails") {
        code = await Samples.code { _ = try await stage.capture(image) }
        return code != nil
      }
      #expect(code == .internalError && access(stage.paths.captures, F_OK) != 0)
      #expect(rename(disk + ".away", disk) == 0)
      #expect(try await stage.finished(image).isDone)
    }
  }

  @Test func aCommandThatWasOvertakenBeginsNothing() async throws {
    try await withVM { stage in
      _ = try await stage.capture(.make(), epoch: 5)
      #expect(await Samples.code { _ = try await stage.capture(.make(), epoch: 4) } == .staleGeneration)
      await stage.captures.cancel(stage.id)
      #expect(!CaptureFiles.hasPart(in: stage.paths.captures))
    }
  }
}
