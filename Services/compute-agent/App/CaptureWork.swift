import Foundation
import Libvirt
import Models
import ServiceKit
import Synchronization

/// Makes one copy of a VM's disk, from its beginning to the published file.
struct CaptureWork: Sendable {
  let hypervisor: Hypervisor
  let freezer: Freezer
  let folders: AgentFolders
  let views: VMFolders
  let turnstile: Turnstile

  /// How far it is, for those who ask meanwhile.
  final class Progress: Sendable {
    private let state = Mutex<(plan: CapturePlan?, bytes: OperationProgress?)>((nil, nil))

    var plan: CapturePlan? { state.withLock { $0.plan } }
    var bytes: OperationProgress? { state.withLock { $0.bytes } }

    func set(_ plan: CapturePlan) { state.withLock { $0.plan = plan } }
    func set(_ bytes: OperationProgress) { state.withLock { $0.bytes = bytes } }
  }

  /// What the VM's state allows now.
  /// - Throws: `not_found`.
  func plan(for id: VMID, canFreeze: Bool) async throws -> (CapturePlan, Hypervisor.Owned) {
    guard let found = try await hypervisor.find(id) else { throw ServiceError.notFound(.vm) }
    let asks = found.power == .running && canFreeze
    let plan = CapturePlan(
      power: found.power, endedWell: await views.endedWell(id, cause: found.domain.cause),
      canFreeze: asks ? await freezer.answers(id) : false)
    return (plan, found)
  }

  /// - Returns: Whether it was made; if not, the guest does not hold still.
  /// - Throws: `no_space`, `unavailable`, `not_found`, `CancellationError`; nothing is left over.
  func run(_ id: VMID, _ files: CaptureFiles, _ progress: Progress) async throws -> Bool {
    try await turnstile.pass {
      let isLeftOver = CaptureFiles.hasPart(in: files.folder)
      if isLeftOver { try await abortBackup(of: id) }
      try files.prepare()
      do {
        let made = try await make(id, files, progress)
        if !made { try files.removePart() }
        return made
      } catch {
        let isFull = (try? DiskFull.isFull(files.part)) ?? false
        try? files.removePart()
        throw isFull && !(error is CancellationError) ? DiskFull.error : error
      }
    }
  }

  private func make(_ id: VMID, _ files: CaptureFiles, _ progress: Progress) async throws -> Bool {
    let (plan, found) = try await plan(for: id, canFreeze: true)
    guard let consistency = plan.consistency else { return false }
    progress.set(plan)
    let disk = folders.paths(id).disk(found.identity.disk)
    try await checkRoom(for: disk, in: files)
    switch plan {
    case .copy: try await QemuImg.copy(disk, to: files.part)
    case .backup(.frozen):
      guard try await freezer.whileFrozen(id, { try await beginBackup(id, files) }) != nil else { return false }
      try await followBackup(id, progress)
    case .backup:
      try await beginBackup(id, files)
      try await followBackup(id, progress)
    case .needsPowerOff: return false
    }
    try Task.checkCancellation()
    try await Failpoint.hit("agent.capture.copied")
    let information = try await QemuImg.information(files.part)
    guard information.backingFile == nil, information.dataFile == nil else {
      throw ServiceError(.internalError, "The copy of the disk does not stand alone.", detail: files.part)
    }
    try await files.publish(consistency)
    return true
  }

  /// Guests that run need the room that is left: a copy that would take it all is not begun.
  private func checkRoom(for disk: String, in files: CaptureFiles) async throws {
    guard let size = await QemuImg.copySize(disk) else { return }
    guard try Files.freeSpace(at: files.folder) > size else { throw DiskFull.error }
  }

  // MARK: Backups by the hypervisor

  private func beginBackup(_ id: VMID, _ files: CaptureFiles) async throws {
    try await hypervisor.libvirt.beginBackup(of: id.uuid, disk: "vda", to: files.part, otherDisks: ["vdb"])
  }

  /// Waits for the end of the backup, which is ended with the task.
  private func followBackup(_ id: VMID, _ progress: Progress) async throws {
    do {
      while case .active(let done, let total) = try await hypervisor.libvirt.jobStatus(of: id.uuid) {
        progress.set(
          OperationProgress(done: Int64(clamping: done), total: total > 0 ? Int64(clamping: total) : nil))
        try await Task.sleep(for: .milliseconds(300))
      }
    } catch is CancellationError {
      try await abortBackup(of: id)
      throw CancellationError()
    } catch let error as LibvirtError where [.operationInvalid, .noDomain].contains(error.code) {
      throw Self.ended
    }
    switch try await hypervisor.libvirt.lastJobOutcome(of: id.uuid) {
    case .completed: break
    case .failed(let message):
      throw ServiceError(.internalError, "The hypervisor could not copy the VM's disk.", detail: message)
    case .cancelled, nil: throw Self.ended
    }
  }

  private static let ended = ServiceError(
    .unavailable, "The VM's end cut the copying of its disk short.", retryAfter: 1)

  /// Ends a backup that nobody waits for, and waits until it has ended.
  func abortBackup(of id: VMID) async throws {
    let libvirt = hypervisor.libvirt
    // Also where the task is cancelled: who began the backup has to end it.
    try await Task {
      do {
        for _ in 0..<100 {
          guard case .active = try await libvirt.jobStatus(of: id.uuid) else { return }
          try await libvirt.abortJob(of: id.uuid)
          try await Task.sleep(for: .milliseconds(100))
        }
      } catch let error as LibvirtError where [.operationInvalid, .noDomain, .noSupport].contains(error.code) {
        // It is off, or the backup ended just now, or there never are any.
        return
      }
      throw ServiceError(.unavailable, "An earlier copying of the VM's disk does not end.", retryAfter: 2)
    }.value
  }
}
