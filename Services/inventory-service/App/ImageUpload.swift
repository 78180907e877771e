import Foundation
import Models
import NIOCore
import Persistence
import ServiceKit

/// Receives an image's content. Until all of it is here and on the disk, nothing of it is to be seen.
struct ImageUpload: Sendable {
  let store: ImageStore
  let imports: ImageImportStore
  let operations: OperationStore
  let files: ImageFiles
  let limits: ImportLimits

  /// - Parameter length: Bytes that will come, where that is known.
  /// - Returns: The image with the operation that goes on with it.
  /// - Throws: `not_found`, `forbidden`, `invalid_state`, `too_large`, `no_space`, `checksum_mismatch`; `source_failed`
  ///   when the content does not come whole.
  func receive<Body: AsyncSequence & Sendable>(
    _ id: ImageID, _ body: Body, length: Int64?, _ origin: RequestOrigin
  ) async throws -> Accepted<Image> where Body.Element == ByteBuffer {
    let claim = try await store.beginUpload(id, origin)
    do {
      try await operations.keepingLease(of: claim) { try await write(body, length: length, claim) }
      return try await store.endUpload(claim, origin.caller)
    } catch {
      files.discard(claim.staged)
      let refusal = error is ClaimLost ? Self.overtaken : Self.refusal(error)
      // In a task of its own: a client that went away has cancelled this one.
      let ending = Task { try? await imports.abandonUpload(claim, with: refusal) }
      await ending.value
      throw refusal
    }
  }

  private static let overtaken = ServiceError(
    .invalidState, "The image was removed, or its content is being sent by another request.")

  private static func refusal(_ error: any Error) -> ServiceError {
    let known = ServiceError.of(error)
    return known.code == .internalError || known.code == .malformedRequest ? ImageImport.cut : known
  }

  private func write<Body: AsyncSequence & Sendable>(_ body: Body, length: Int64?, _ claim: Claim) async throws
  where Body.Element == ByteBuffer {
    let expected = try await imports.job(ImageID(claim.resource.uuid))?.expectedSHA256
    let writer = try StagingWriter(
      path: files.received(claim.staged), limit: limits.file, expected: expected, files: files)
    try await writer.expect(length ?? 1)
    if let length { try await imports.charge(length, claim) }
    var told = ContinuousClock.now
    for try await buffer in body {
      try await writer.write(buffer)
      guard ContinuousClock.now - told > .seconds(1) else { continue }
      told = .now
      let progress = OperationProgress(done: await writer.count, total: length)
      try await imports.charge(max(progress.done, length ?? 0), claim)
      guard try await operations.renew(claim, step: "receiving", progress: progress) else { throw ClaimLost() }
    }
    let count = await writer.count
    guard length == nil || count == length else { throw ImageImport.cut }
    try await writer.finish()
  }
}
