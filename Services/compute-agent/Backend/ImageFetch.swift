import AsyncHTTPClient
import Blocking
import Foundation
import Models
import NIOCore
import ServiceKit

/// Fetches an image, or a VM's disk, by the URL in the command; what was cut is resumed, also by a later command.
struct ImageFetch: Sendable {
  let client: HTTPClient
  /// What is fetched and from where, as they stand in a sentence.
  var noun = "image"
  var source = "the inventory"
  /// How often a download is begun or resumed for one command, and the pause before the second time.
  var attempts = 5
  var pause: Duration = .milliseconds(500)

  /// What stands behind the name of a file that is not whole.
  static let partial = ".part"

  /// Writes the file under its name when all of it is here and has the right content.
  /// - Throws: `unavailable`, `corrupt`, `no_space`.
  func fetch(_ image: CachedImage, to path: String) async throws {
    let part = path + Self.partial
    try await fetch(image, into: part)
    guard chmod(part, 0o444) == 0 else { throw FileError(path: part, code: errno) }
    try await Files.shared.publish(part, as: path)
  }

  /// Brings the file to where all of it is here and has the right content; until then it stays to be resumed.
  /// - Throws: `unavailable`, `corrupt`, `no_space`.
  func fetch(_ image: CachedImage, into part: String) async throws {
    var pause = pause
    for attempt in 1... {
      do {
        try await resume(image, into: part)
        break
      } catch let error as ServiceError {
        if error.code == .corrupt { try await Files.shared.remove(part) }
        throw error
      } catch let error as FileError { throw error } catch {
        try Task.checkCancellation()
        guard attempt < attempts else {
          throw ServiceError(
            .unavailable, "The host cannot fetch the \(noun) from \(source).", detail: String(reflecting: error))
        }
        try await Task.sleep(for: pause)
        pause *= 2
      }
    }
    let actual = try await Files().sha256(path: part)
    guard actual == image.sha256 else {
      try await Files.shared.remove(part)
      throw ServiceError(
        .corrupt, "What the host fetched is not the \(noun).", detail: "\(actual) instead of \(image.sha256)")
    }
  }

  private func resume(_ image: CachedImage, into part: String) async throws {
    let file = try PartialFile(path: part)
    let offset = await file.count
    guard offset < image.size else { return }
    var request = HTTPClientRequest(url: image.url)
    if offset > 0 { request.headers.add(name: "Range", value: "bytes=\(offset)-") }
    let response = try await client.execute(request, deadline: .distantFuture)
    switch response.status {
    case .partialContent: break
    case .ok: try await file.startOver()
    default:
      throw ServiceError(
        .unavailable, "The \(noun) is not given to the host.", detail: "status \(response.status.code)")
    }
    for try await buffer in response.body { try await file.write(buffer, limit: image.size, noun) }
    try await file.flush()
    guard await file.count == image.size else { throw HTTPClientError.remoteConnectionClosed }
  }
}

/// The part of a file that has come so far, off the cooperative pool.
private actor PartialFile {
  private nonisolated let executor = QueueExecutor(label: "fetch")
  nonisolated var unownedExecutor: UnownedSerialExecutor { executor.asUnownedSerialExecutor() }

  private let file: WritableFile
  var count: Int64 { file.count }

  init(path: String) throws { file = try WritableFile(path: path, appending: true) }

  /// - Throws: `corrupt` for more than there should be.
  func write(_ buffer: ByteBuffer, limit: Int64, _ noun: String) throws {
    guard count + Int64(buffer.readableBytes) <= limit else {
      throw ServiceError(.corrupt, "The \(noun) is longer than it should be.")
    }
    try buffer.withUnsafeReadableBytes { try file.write($0) }
  }

  func startOver() throws { try file.truncate() }
  func flush() throws { try file.flush() }
}
