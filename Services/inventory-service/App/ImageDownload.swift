import AsyncHTTPClient
import Clients
import Foundation
import Models
import NIOCore
import ServiceKit

/// Fetches a URL into a file, by addresses that the policy permits and no others.
struct ImageDownload: Sendable {
  let policy: AddressPolicy
  /// Bytes at most, and seconds without any before it is given up.
  let limit: Int64
  let stallSeconds: Int64

  private static let redirects = 5

  /// - Parameter onProgress: Called now and then with the bytes so far and in all.
  /// - Returns: The number of bytes written.
  /// - Throws: `url_forbidden`, `source_failed`, `timeout` or `too_large`.
  func fetch(
    _ source: String, to file: FileHandle, onProgress: @Sendable (OperationProgress) async throws -> Void
  ) async throws -> Int64 {
    var url = try AddressPolicy.checkedURL(source)
    for _ in 0...Self.redirects {
      // The name is resolved once and the connection goes to that address, whatever the name says a moment later.
      let address = try await policy.resolve(url)
      let client = InternalHTTP.makeClient {
        $0.dnsOverride = [url.host(percentEncoded: false) ?? "": address.description]
        $0.timeout = .init(connect: .seconds(10), read: .seconds(stallSeconds))
        $0.decompression = .disabled
      }
      defer { Task { try? await client.shutdown() } }
      guard let next = try await fetchOnce(url, by: client, to: file, onProgress) else {
        return Int64(try file.offset())
      }
      url = next
    }
    throw ServiceError(.sourceFailed, "The URL redirects more than \(Self.redirects) times.")
  }

  /// - Returns: Where it redirects; nil when the file is whole.
  private func fetchOnce(
    _ url: URL, by client: HTTPClient, to file: FileHandle,
    _ onProgress: @Sendable (OperationProgress) async throws -> Void
  ) async throws -> URL? {
    var request = HTTPClientRequest(url: url.absoluteString)
    request.headers.add(name: "User-Agent", value: "swift-iaas")
    request.headers.add(name: "Accept-Encoding", value: "identity")
    do {
      let response = try await client.execute(request, deadline: .distantFuture)
      if (300..<400).contains(response.status.code), let location = response.headers.first(name: "Location") {
        guard let next = URL(string: location, relativeTo: url)?.absoluteURL else {
          throw ServiceError(.sourceFailed, "The URL redirects to something that is not a URL.")
        }
        return try AddressPolicy.checkedURL(next.absoluteString)
      }
      guard response.status == .ok else {
        throw ServiceError(.sourceFailed, "The source answered \(response.status.code).")
      }
      let total = response.headers.first(name: "Content-Length").flatMap { Int64($0) }
      try await copy(response.body, of: total, to: file, onProgress)
      return nil
    } catch let error as HTTPClientError where error == .readTimeout || error == .connectTimeout {
      throw ServiceError(.timeout, "The source sent nothing for too long.", detail: String(reflecting: error))
    } catch let error as ServiceError { throw error } catch let error as ClaimLost { throw error } catch let error
      as FileError
    { throw error } catch {
      throw ServiceError(.sourceFailed, "The download failed.", detail: String(reflecting: error))
    }
  }

  private func copy(
    _ body: HTTPClientResponse.Body, of total: Int64?, to file: FileHandle,
    _ onProgress: @Sendable (OperationProgress) async throws -> Void
  ) async throws {
    if let total, total > limit { throw Self.tooLarge(limit) }
    let writer = StagingWriter(file: file)
    var done: Int64 = 0
    var told = ContinuousClock.now
    for try await buffer in body {
      done += Int64(buffer.readableBytes)
      guard done <= limit else { throw Self.tooLarge(limit) }
      try await writer.write(buffer)
      if ContinuousClock.now - told > .seconds(1) {
        told = .now
        try await onProgress(OperationProgress(done: done, total: total))
      }
    }
    try await onProgress(OperationProgress(done: done, total: total ?? done))
  }

  private static func tooLarge(_ limit: Int64) -> ServiceError {
    ServiceError(.tooLarge, "The file is larger than \(limit >> 30) GiB.")
  }
}
