import AsyncHTTPClient
import Foundation
import NIOCore

/// Carries requests over a network.
struct HTTPTransport: Transport {
  /// Longest answer that is read, in bytes.
  static let largestAnswer = 64 << 20
  /// Seconds a server may take to begin an answer, and to end it, beyond those it was asked to hold it back.
  private static let patience = 30
  private static let wholePatience = 120

  private let client: HTTPClient

  /// Runs `body` with a transport that is closed afterwards. Redirects are not followed: they could take the token
  /// somewhere else.
  static func withTransport(_ body: (HTTPTransport) async throws -> Void) async throws {
    var configuration = HTTPClient.Configuration(redirectConfiguration: .disallow)
    configuration.timeout = .init(connect: .seconds(10), read: .seconds(90))
    configuration.networkFrameworkWaitForConnectivity = false
    configuration.connectionPool.retryConnectionEstablishment = false
    try await HTTPClient.withHTTPClient(configuration: configuration) { try await body(HTTPTransport(client: $0)) }
  }

  func send(_ request: APIRequest, to server: ServerAddress) async throws -> APIAnswer {
    let limit = Self.wholePatience + request.held
    return try await withThrowingTaskGroup(of: APIAnswer.self) { group in
      defer { group.cancelAll() }
      group.addTask { try await exchange(request, server) }
      group.addTask {
        try await Task.sleep(for: .seconds(limit))
        throw CommandFailure(.timedOut, "\(server) did not finish its answer within \(limit) seconds.")
      }
      guard let first = try await group.next() else { throw CancellationError() }
      return first
    }
  }

  private func exchange(_ request: APIRequest, _ server: ServerAddress) async throws -> APIAnswer {
    let seconds = Self.patience + request.held
    let response: HTTPClientResponse
    do {
      response = try await client.execute(Self.message(request, server), timeout: .seconds(Int64(seconds)))
    } catch let error {
      throw Self.unreachable(server, error, seconds: seconds)
    }
    return APIAnswer(
      status: Int(response.status.code), headers: Self.headers(of: response),
      body: try await Self.body(of: response, from: server))
  }

  private static func message(_ request: APIRequest, _ server: ServerAddress) -> HTTPClientRequest {
    var message = HTTPClientRequest(url: server.description + request.target)
    message.method = .init(rawValue: request.method.rawValue)
    message.headers = .init(request.headers.sorted { $0.key < $1.key }.map { ($0.key, $0.value) })
    message.body = request.body.map { .bytes(ByteBuffer(bytes: $0)) }
    return message
  }

  private static func headers(of response: HTTPClientResponse) -> [String: String] {
    Dictionary(response.headers.map { ($0.name.lowercased(), $0.value) }) { first, _ in first }
  }

  private static func body(of response: HTTPClientResponse, from server: ServerAddress) async throws -> Data {
    do {
      return Data(try await response.body.collect(upTo: largestAnswer).readableBytesView)
    } catch is NIOTooManyBytesError {
      throw CommandFailure(.failed, "The answer of \(server) is larger than \(Units.bytes(Int64(largestAnswer))).")
    } catch {
      throw CommandFailure(.failed, "The answer of \(server) ended before it was whole.")
    }
  }

  private static func unreachable(_ server: ServerAddress, _ error: any Error, seconds: Int) -> CommandFailure {
    let error = error as? HTTPClientError
    if error == .deadlineExceeded || error == .readTimeout {
      return CommandFailure(.timedOut, "\(server) did not answer within \(seconds) seconds.")
    }
    if error == .remoteConnectionClosed {
      return CommandFailure(.failed, "\(server) closed the connection without an answer.")
    }
    let doubt = server.isEncrypted ? "is its certificate one this machine trusts" : "is this its URL"
    return CommandFailure(.failed, "Cannot reach \(server). Is the server running, and \(doubt)?")
  }
}
