import AsyncHTTPClient
import Clients
import Foundation
import Models
import NIOHTTP1
import ServiceKit

/// One GET that follows redirects, each of which is checked as the first URL is.
struct HTTPFetch: Sendable {
  let policy: AddressPolicy
  let patience: DownloadPatience

  private static let redirects = 5

  /// - Parameter body: Is given the answer that is no redirect, while its connection lasts.
  /// - Throws: `url_forbidden`, `source_failed`, `Interruption`, and what the body throws.
  func withResponse<Value: Sendable>(
    to source: String, headers: HTTPHeaders, _ body: (HTTPClientResponse) async throws -> Value
  ) async throws -> Value {
    var url = try AddressPolicy.checkedURL(source)
    for _ in 0...Self.redirects {
      let client = try await client(for: url)
      let outcome: Outcome<Value>
      do { outcome = try await get(url, by: client, headers, body) } catch {
        try? await client.shutdown()
        throw error
      }
      try? await client.shutdown()
      switch outcome {
      case .answer(let value): return value
      case .redirect(let next): url = next
      }
    }
    throw ServiceError(.sourceFailed, "The URL redirects more than \(Self.redirects) times.")
  }

  private enum Outcome<Value> {
    case answer(Value)
    case redirect(URL)
  }

  /// The name is resolved once and the connection goes to that address, whatever the name says a moment later.
  private func client(for url: URL) async throws -> HTTPClient {
    let address = try await policy.resolve(url)
    return InternalHTTP.makeClient {
      for name in [url.host ?? "", AddressPolicy.host(of: url)] { $0.dnsOverride[name] = address.description }
      $0.timeout = .init(connect: .seconds(10), read: .seconds(patience.stallSeconds))
      $0.decompression = .disabled
    }
  }

  private func get<Value: Sendable>(
    _ url: URL, by client: HTTPClient, _ headers: HTTPHeaders, _ body: (HTTPClientResponse) async throws -> Value
  ) async throws -> Outcome<Value> {
    var request = HTTPClientRequest(url: url.absoluteString)
    request.headers = headers
    request.headers.add(name: "User-Agent", value: "swift-iaas")
    request.headers.add(name: "Accept-Encoding", value: "identity")
    let sent = request
    let response = try await Interruption.catching { try await client.execute(sent, deadline: .distantFuture) }
    guard [301, 302, 303, 307, 308].contains(response.status.code) else { return .answer(try await body(response)) }
    guard let location = response.headers.first(name: "Location"),
      let next = URL(string: location, relativeTo: url)?.absoluteString
    else { throw ServiceError(.sourceFailed, "The URL redirects to something that is not a URL.") }
    return .redirect(try AddressPolicy.checkedURL(next))
  }
}
