import Blocking
import Foundation
import Logging
import Models
import ServiceKit

/// The copies of VMs' disks that are being made, and those that are made. The work goes on in the background; how it ended
/// is told to who asks next, and then forgotten, so that asking again begins anew.
actor Captures {
  private nonisolated let executor = QueueExecutor(label: "captures")
  nonisolated var unownedExecutor: UnownedSerialExecutor { executor.asUnownedSerialExecutor() }

  private struct Key: Hashable {
    let vm: VMID
    let image: ImageID
  }

  private struct Job {
    let task: Task<Void, Never>
    let progress: CaptureWork.Progress
    /// Nil as long as it is under way.
    var failure: (any Error)?
  }

  private let work: CaptureWork
  private let freezer: Freezer
  private let folders: AgentFolders
  private let fences: Fences
  private let queue: VMQueue
  private let logger: Logger
  private var jobs: [Key: Job] = [:]
  /// Guests whose agents answer and do not hold still; until they are seen off.
  private var restless: Set<VMID> = []
  /// Whose guest is being stopped for its copy, which is the next to be made, so that it is not off for longer than that.
  private var next: (key: Key, askedAt: ContinuousClock.Instant)?

  init(
    work: CaptureWork, freezer: Freezer, folders: AgentFolders, fences: Fences, queue: VMQueue, logger: Logger
  ) {
    self.work = work
    self.freezer = freezer
    self.folders = folders
    self.fences = fences
    self.queue = queue
    self.logger = logger
  }

  private func files(_ key: Key) -> CaptureFiles { CaptureFiles(paths: folders.paths(key.vm), image: key.image) }

  /// Begins a copy, or tells how far it is.
  /// - Throws: `stale_generation`, `not_found`, and once how the copying failed.
  nonisolated func capture(_ vm: VMID, for image: ImageID, _ fence: Fence) async throws -> Capture {
    try await queue.alone(with: vm) {
      try await self.fences.accept(fence, of: vm)
      return try await self.advance(Key(vm: vm, image: image))
    }
  }

  private func advance(_ key: Key) async throws -> Capture {
    if let finished = files(key).finished {
      jobs[key] = nil
      return finished
    }
    if let job = jobs[key] {
      guard let failure = job.failure else { return present(key, job) }
      jobs[key] = nil
      throw failure
    }
    let (plan, found) = try await work.plan(for: key.vm, canFreeze: !restless.contains(key.vm))
    if found.power == .stopped { restless.remove(key.vm) }
    guard isTurn(of: key, stopping: plan == .needsPowerOff) else { return Capture(isDone: false, consistency: nil) }
    if plan == .needsPowerOff {
      next = (key, .now)
      return Capture(isDone: false, consistency: nil, needsPowerOff: true)
    }
    next = nil
    return present(key, begin(key))
  }

  /// Copies that go on while guests run may queue up; a guest is stopped only for a copy that can begin at once.
  private func isTurn(of key: Key, stopping: Bool) -> Bool {
    if let next, next.key.vm != key.vm, ContinuousClock.now - next.askedAt < Self.stopping { return false }
    return !stopping || !jobs.values.contains { $0.failure == nil }
  }

  /// Longer than a guest is given to power itself off, and is asked about meanwhile.
  private static let stopping: Duration = .seconds(60)

  private func present(_ key: Key, _ job: Job) -> Capture {
    let size = files(key).partSize
    return Capture(
      isDone: false, consistency: job.progress.plan?.consistency, size: size,
      progress: job.progress.bytes ?? OperationProgress(done: size, total: nil))
  }

  private func begin(_ key: Key) -> Job {
    let (files, progress, work) = (files(key), CaptureWork.Progress(), work)
    let task = Task {
      let result: Result<Bool, any Error>
      do { result = .success(try await work.run(key.vm, files, progress)) } catch { result = .failure(error) }
      end(key, result)
    }
    let job = Job(task: task, progress: progress)
    jobs[key] = job
    return job
  }

  private func end(_ key: Key, _ result: Result<Bool, any Error>) {
    switch result {
    case .success(let isMade):
      jobs[key] = nil
      if !isMade { restless.insert(key.vm) }
    case .failure(let error):
      logger.log(
        level: error is CancellationError ? .debug : .warning, "disk not copied",
        metadata: ["vm": "\(key.vm)", "error": "\(String(reflecting: error))"])
      jobs[key]?.failure = error
    }
  }

  /// The path of a copy that is whole.
  /// - Throws: `not_found`.
  nonisolated func path(of vm: VMID, for image: ImageID) throws -> String {
    let files = CaptureFiles(paths: folders.paths(vm), image: image)
    guard files.finished != nil else { throw ServiceError(.notFound, "There is no such copy.") }
    return files.whole
  }

  /// Removes a copy, or ends its making.
  /// - Throws: `stale_generation`.
  nonisolated func remove(_ vm: VMID, for image: ImageID) async throws {
    try await queue.alone(with: vm) { try await self.remove(Key(vm: vm, image: image)) }
  }

  private func remove(_ key: Key) async throws {
    await cancel { $0 == key }
    try files(key).removeAll()
  }

  // MARK: For others who do something to a VM

  /// - Throws: `unavailable` while the disk of a VM that is off is being copied.
  func checkDiskIsFree(_ vm: VMID) throws {
    let isCopied = jobs.contains { key, job in
      guard key.vm == vm, job.failure == nil, case .copy = job.progress.plan else { return false }
      return true
    }
    if isCopied { throw ServiceError(.unavailable, "The VM's disk is being copied.", retryAfter: 1) }
  }

  /// Ends all copying of a VM's disk, also what another process began.
  func cancel(_ vm: VMID) async {
    await cancel { $0.vm == vm }
    restless.remove(vm)
    if CaptureFiles.hasPart(in: folders.paths(vm).captures) { try? await work.abortBackup(of: vm) }
  }

  private func cancel(_ isMeant: (Key) -> Bool) async {
    if let expected = next?.key, isMeant(expected) { next = nil }
    let meant = jobs.filter { isMeant($0.key) }
    for job in meant.values { job.task.cancel() }
    for (key, job) in meant {
      await job.task.value
      jobs[key] = nil
    }
  }

  // MARK: The life of the process

  /// Lets guests go on that an earlier process left holding still; until none is left.
  func thawAll() async {
    await freezer.thawAll(but: Set(jobs.filter { $0.value.failure == nil }.map(\.key.vm)))
  }

  /// Ends all copying.
  func stop() async { await cancel { _ in true } }
}
