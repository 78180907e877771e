import AsyncHTTPClient
import Blocking
import Clients
import DiskImages
import Foundation
import Models
import ServiceKit

/// How large what is imported may be, in bytes.
struct ImportLimits: Sendable {
  /// Of a file: received, expanded and stored.
  var file: Int64
  /// Of the disk that a guest sees.
  var disk: Int64
}

/// Imports an image: receive into a staging file, expand, inspect, check, convert to a self-contained qcow2, publish.
struct ImageImport: Sendable {
  let store: ImageImportStore
  let operations: OperationStore
  let files: ImageFiles
  let download: ImageDownload
  let hosts: Hosts
  let limits: ImportLimits

  /// Seconds that an import may take in all.
  static let deadlineSeconds = 6 * 3600
  private static let longestChecksumList = 1 << 20

  func carryOut(_ claim: Claim) async throws -> WorkResult {
    guard let job = try await store.job(ImageID(claim.resource.uuid)) else { throw ServiceError.notFound(.image) }
    if let capture = job.capture {
      if let waiting = try await wait(for: capture) { return waiting }
    } else if job.url == nil, job.staged == nil {
      return try await endCutUpload(claim)
    }
    let name = claim.staged
    defer { files.discard(name) }
    return try await operations.keepingLease(of: claim) {
      let received = try await source(job, claim)
      let file = try await convert(received, claim)
      try await Failpoint.hit("inventory.\(claim.kind.rawValue).converted")
      try await store.publish(file, of: claim) { try files.place(name, twin: $0) }
      try await Failpoint.hit("inventory.\(claim.kind.rawValue).published")
      if let capture = job.capture { await dispose(of: capture, job.id, claim) }
      if let staged = job.staged { files.discard(StagedName(image: job.id, epoch: staged)) }
      return .ended
    }
  }

  /// Ends the import as failed; of what was received nothing is kept.
  func fail(_ claim: Claim, with error: ServiceError) async throws {
    let job = try await store.job(ImageID(claim.resource.uuid))
    try await store.fail(claim, with: error)
    if let job, let capture = job.capture { await dispose(of: capture, job.id, claim) }
    if let staged = job?.staged { files.discard(StagedName(image: ImageID(claim.resource.uuid), epoch: staged)) }
  }

  /// Whoever received the upload is gone, and the bytes with it.
  private func endCutUpload(_ claim: Claim) async throws -> WorkResult {
    try await store.abandonUpload(claim, with: Self.cut)
    return .ended
  }

  static let cut = ServiceError(
    .sourceFailed, "The upload was cut off and nothing of it is kept; send the content again.")

  private func step(_ name: String, _ claim: Claim) async throws {
    guard try await operations.renew(claim, step: name, progress: nil) else { throw ClaimLost() }
  }

  /// - Returns: The path of what was received.
  private func source(_ job: ImportJob, _ claim: Claim) async throws -> String {
    if let staged = job.staged { return files.received(StagedName(image: job.id, epoch: staged)) }
    if let capture = job.capture { return try await fetch(capture, job.id, claim) }
    guard let url = job.url else { throw Self.cut }
    try await step("downloading", claim)
    let expected = try await expectedDigest(job, url)
    let path = files.received(claim.staged)
    try files.require(1)
    let writer = try StagingWriter(path: path, limit: limits.file, expected: expected, files: files)
    try await download.fetch(url, to: writer) { progress in
      try await store.charge(max(progress.done, progress.total ?? 0), claim)
      guard try await operations.renew(claim, step: nil, progress: progress) else { throw ClaimLost() }
    }
    try await writer.finish()
    return path
  }

  // MARK: Copies of VMs' disks

  /// - Returns: What to do while the copy is being made; nil when it is there.
  /// - Throws: What became of the copy.
  private func wait(for capture: CaptureSource) async throws -> WorkResult? {
    let operation = try await operations.get(capture.operation)
    switch operation?.status {
    case .done: return nil
    case .pending, .running: return .again(afterSeconds: 0.5, step: operation?.step ?? "saving")
    case .failed: throw ServiceError(ErrorCode(wire: operation?.error?.code ?? ""), operation?.error?.message ?? "")
    case .cancelled, nil: throw ServiceError(.invalidState, "The VM was removed while it was being saved.")
    }
  }

  /// Fetches the copy from the VM's host.
  private func fetch(_ capture: CaptureSource, _ image: ImageID, _ claim: Claim) async throws -> String {
    try await step("fetching the copy", claim)
    let (agent, origin) = try await agent(of: capture, claim)
    let path = files.received(claim.staged)
    let writer = try StagingWriter(path: path, limit: limits.file, expected: nil, files: files)
    let response = try await agent.openCapture(of: capture.vm, for: image, from: 0, origin)
    let total = response.headers.first(name: "content-length").flatMap { Int64($0) }
    try await writer.expect(total ?? 1)
    if let total { try await store.charge(total, claim) }
    var told = ContinuousClock.now
    do {
      for try await buffer in response.body {
        try await writer.write(buffer)
        guard ContinuousClock.now - told > .seconds(1) else { continue }
        told = .now
        let progress = OperationProgress(done: await writer.count, total: total)
        try await store.charge(max(progress.done, total ?? 0), claim)
        guard try await operations.renew(claim, step: nil, progress: progress) else { throw ClaimLost() }
      }
    } catch let error as ServiceError { throw error } catch let error as ClaimLost { throw error } catch {
      throw ServiceError(
        .unavailable, "The copy cannot be fetched from its host.", detail: String(reflecting: error))
    }
    let count = await writer.count
    guard total == nil || total == count else {
      throw ServiceError(.unavailable, "The copy was cut off on its way from its host.")
    }
    try await writer.finish()
    return path
  }

  private func agent(of capture: CaptureSource, _ claim: Claim) async throws -> (AgentClient, CallOrigin) {
    let (agent, generation) = try await hosts.agent(of: capture.host)
    // Only the host's part counts: the VM may have changed since.
    let fence = Fence(host: generation, generation: 0, epoch: 0)
    return (agent, CallOrigin(requestID: claim.requestID).fenced(fence))
  }

  /// What cannot be removed now is removed when the host reports it.
  private func dispose(of capture: CaptureSource, _ image: ImageID, _ claim: Claim) async {
    guard let (agent, origin) = try? await agent(of: capture, claim) else { return }
    try? await agent.removeCapture(of: capture.vm, for: image, origin)
  }

  /// The digest that was given, or else the one that the publisher's list has for the file.
  private func expectedDigest(_ job: ImportJob, _ url: String) async throws -> String? {
    if let given = job.expectedSHA256 { return given }
    guard let list = job.checksums else { return nil }
    let name = URL(string: url)?.lastPathComponent ?? ""
    let text = try await download.text(list, limit: Self.longestChecksumList)
    guard let digest = Checksums.digest(of: name, in: text) else {
      throw ServiceError(
        .checksumMismatch, "The publisher's list of checksums has none for \(Text.printable(name, limit: 255)).")
    }
    return digest
  }

  /// Formats are always said, never guessed by the tools.
  private func convert(_ received: String, _ claim: Claim) async throws -> ImportedFile {
    let (worker, name) = (ImportWorker(), claim.staged)
    let source = try await expand(received, by: worker, claim)
    let header = try await worker.inspect(source, limit: limits.disk)
    try await step("checking", claim)
    if header.format == .qcow2 { try await check(source) }
    try await step("converting", claim)
    let converted = files.converted(name)
    try await worker.create(converted)
    let room = try files.room()
    let outcome = try await Sandbox.run(
      ["qemu-img", "convert", "-f", header.format.rawValue, "-O", "qcow2", "/source", "/target"],
      files: [
        Sandbox.File(path: source, name: "/source", isWritable: false),
        Sandbox.File(path: converted, name: "/target", isWritable: true),
      ], outputLimit: min(limits.file, room))
    guard outcome.succeeded else { throw try await refusal(outcome, of: converted, by: worker, room: room) }
    try await check(converted)
    return try await worker.seal(converted, virtualSize: header.virtualSize)
  }

  private func expand(_ received: String, by worker: ImportWorker, _ claim: Claim) async throws -> String {
    guard let compression = try await worker.compression(of: received) else { return received }
    try await step("expanding", claim)
    let path = files.expanded(claim.staged)
    let room = try files.room()
    do { try await worker.expand(received, compression, to: path, limit: min(limits.file, room)) } catch let error
      as ServiceError where error.code == .tooLarge && room < limits.file
    {
      throw ServiceError(.noSpace, "The image store has no room for the expanded image.")
    }
    return path
  }

  private func check(_ path: String) async throws {
    let outcome = try await Sandbox.run(
      ["qemu-img", "check", "-q", "-f", "qcow2", "/source"],
      files: [Sandbox.File(path: path, name: "/source", isWritable: false)], outputLimit: 0)
    // 3 means leaked clusters, which waste room and harm nothing (qemu-img(1)).
    guard outcome.succeeded || outcome.status == 3 else { throw Self.damaged(outcome) }
  }

  /// What a conversion that failed means: it ran into the limit of its output, or into damage.
  private func refusal(
    _ outcome: Tool.Outcome, of target: String, by worker: ImportWorker, room: Int64
  ) async throws -> ServiceError {
    let reached = try await worker.size(target) >= min(limits.file, room) - (1 << 20)
    if outcome.errors.contains("No space left") || (reached && room < limits.file) {
      return ServiceError(.noSpace, "The image store is full.")
    }
    // A signal ends a process that writes beyond its limit.
    return reached && (outcome.status == nil || outcome.errors.contains("File too large"))
      ? StagingWriter.tooLarge(limits.file) : Self.damaged(outcome)
  }

  private static func damaged(_ outcome: Tool.Outcome) -> ServiceError {
    guard !Sandbox.failed(outcome) else {
      return ServiceError(
        .internalError, "The image could not be looked at; the service's log says why.", detail: outcome.errors)
    }
    return ServiceError(.corrupt, "The image is damaged.", detail: Text.printable(outcome.errors, limit: 2000))
  }
}

/// The file work of one import, off the cooperative pool.
private actor ImportWorker {
  private nonisolated let executor = QueueExecutor(label: "import")
  nonisolated var unownedExecutor: UnownedSerialExecutor { executor.asUnownedSerialExecutor() }

  func compression(of path: String) throws -> Compression? { Compression(magic: try start(of: path)) }

  func expand(_ source: String, _ compression: Compression, to target: String, limit: Int64) throws {
    _ = try compression.expand(source, to: target, limit: limit, isCancelled: { Task.isCancelled })
  }

  func inspect(_ path: String, limit: Int64) throws -> DiskHeader {
    try DiskInspector.inspect(file: path, limit: limit)
  }

  /// An empty file that the sandbox fills.
  func create(_ path: String) throws {
    let descriptor = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0o600)
    guard descriptor >= 0 else { throw FileError(path: path, code: errno) }
    close(descriptor)
  }

  func size(_ path: String) throws -> Int64 {
    var status = stat()
    guard stat(path, &status) == 0 else { throw FileError(path: path, code: errno) }
    return Int64(status.st_size)
  }

  /// Makes the file one that nobody changes any more, and brings it to the disk.
  func seal(_ path: String, virtualSize: Int64) async throws -> ImportedFile {
    guard chmod(path, 0o444) == 0 else { throw FileError(path: path, code: errno) }
    let sha256 = try await Files().sha256(path: path)
    try await Files().flush(path)
    return ImportedFile(size: try size(path), virtualSize: virtualSize, sha256: sha256)
  }

  private func start(of path: String) throws -> [UInt8] {
    let handle = try FileHandle(forReadingFrom: URL(fileURLWithPath: path))
    defer { try? handle.close() }
    return Array(try handle.read(upToCount: 16) ?? Data())
  }
}
