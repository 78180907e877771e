import Foundation
import Models
import ServiceKit

/// Imports an image: download into a staging file, inspect, convert to a self-contained qcow2, check, publish.
struct ImageImport: Sendable {
  let store: ImageStore
  let operations: OperationStore
  let files: ImageFiles
  let download: ImageDownload
  /// Bytes of the largest disk that is taken.
  let diskLimit: Int64

  func carryOut(_ claim: Claim) async throws -> WorkResult {
    guard let job = try await store.job(ImageID(claim.resource.uuid)) else { throw ServiceError.notFound(.image) }
    let (staged, converted) = (files.download(claim), files.converted(claim))
    defer { for path in [staged, converted] { unlink(path) } }
    return try await operations.keepingLease(of: claim) {
      try await receive(job, claim, into: staged)
      try await step("checking", claim)
      let file = try await convert(staged, to: converted)
      chmod(converted, 0o444)
      try await Files.shared.flush(converted)
      try await store.publish(file, of: claim) { try Files.place(converted, as: files.file(of: job.id)) }
      return .ended
    }
  }

  private func step(_ name: String, _ claim: Claim) async throws {
    guard try await operations.renew(claim, step: name, progress: nil) else { throw ClaimLost() }
  }

  private func receive(_ job: ImportJob, _ claim: Claim, into path: String) async throws {
    try await step("downloading", claim)
    let descriptor = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0o600)
    guard descriptor >= 0 else { throw FileError(path: path, code: errno) }
    let file = FileHandle(fileDescriptor: descriptor, closeOnDealloc: true)
    _ = try await download.fetch(job.url, to: file) { progress in
      guard try await operations.renew(claim, step: nil, progress: progress) else { throw ClaimLost() }
    }
    guard let expected = job.expectedSHA256 else { return }
    let actual = try await Files().sha256(path: path)
    guard actual == expected else {
      throw ServiceError(.checksumMismatch, "The file's SHA-256 is \(actual), not the one given.")
    }
  }

  /// Formats are always said, never guessed by the tools.
  private func convert(_ source: String, to target: String) async throws -> ImportedFile {
    let size = try FileManager.default.attributesOfItem(atPath: source)[.size] as? Int64 ?? 0
    let handle = try FileHandle(forReadingFrom: URL(fileURLWithPath: source))
    let header = Array(try handle.read(upToCount: DiskFormat.headerLength) ?? Data())
    try handle.close()
    let (format, virtualSize) = try DiskFormat.recognise(header, fileSize: size, limit: diskLimit)
    if format == .qcow2 { try await check(source) }
    let outcome = try await limited(["convert", "-f", format.rawValue, "-O", "qcow2", source, target])
    guard outcome.succeeded else { throw Self.refusal(outcome) }
    try await check(target)
    let attributes = try FileManager.default.attributesOfItem(atPath: target)
    return ImportedFile(
      size: attributes[.size] as? Int64 ?? 0, virtualSize: virtualSize, sha256: try await Files().sha256(path: target))
  }

  private func check(_ path: String) async throws {
    let outcome = try await limited(["check", "-q", "-f", "qcow2", path])
    // 3 means leaked clusters, which waste room and harm nothing (qemu-img(1)).
    guard outcome.succeeded || outcome.status == 3 else { throw Self.refusal(outcome) }
  }

  /// Runs qemu-img with bounds on memory, time and output, whatever the image makes it do.
  private func limited(_ arguments: [String]) async throws -> Tool.Outcome {
    let bounds = ["--as=\(4 << 30)", "--cpu=1800", "--fsize=\(diskLimit + (1 << 30))", "--core=0"]
    return try await Tool.run("prlimit", bounds + ["qemu-img"] + arguments)
  }

  private static func refusal(_ outcome: Tool.Outcome) -> ServiceError {
    if outcome.errors.contains("No space left") { return ServiceError(.noSpace, "The image store is full.") }
    return ServiceError(.corrupt, "The image is damaged.", detail: Text.printable(outcome.errors, limit: 2000))
  }
}
