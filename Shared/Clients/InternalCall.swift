import AsyncAlgorithms
import AsyncHTTPClient
import Foundation
import HTTPTypes
import Models
import NIOCore
import NIOHTTP1
import ServiceKit

/// Who asks, and under which request id: what goes with every call from service to service.
public struct CallOrigin: Sendable {
  public var requestID: String
  public var caller: Caller?
  /// Under which the same request may come again; of requests that make something.
  public var idempotencyKey: String?
  /// What the caller may hold and consume; of requests that change something.
  public var limits: Limits?
  /// Of commands to agents.
  public var fence: Fence?

  public init(
    requestID: String, caller: Caller? = nil, idempotencyKey: String? = nil, limits: Limits? = nil, fence: Fence? = nil
  ) {
    self.requestID = requestID
    self.caller = caller
    self.idempotencyKey = idempotencyKey
    self.limits = limits
    self.fence = fence
  }

  /// The same, as a command that may be overtaken.
  public func fenced(_ fence: Fence) -> CallOrigin {
    CallOrigin(requestID: requestID, caller: caller, idempotencyKey: idempotencyKey, limits: limits, fence: fence)
  }
}

/// A service that is called: where it is, by which credential, and what people call it.
public struct ServicePeer: Sendable {
  let client: HTTPClient
  let url: String
  let secret: String
  let noun: String

  /// - Parameter noun: The service as it stands in "… cannot be reached".
  public init(client: HTTPClient, url: String, secret: String, noun: String) {
    self.client = client
    self.url = url.hasSuffix("/") ? String(url.dropLast()) : url
    self.secret = secret
    self.noun = noun
  }

  /// Calls and decodes the answer.
  /// - Parameter seconds: How long the whole call may take.
  /// - Throws: The peer's own `ServiceError`; `unavailable` when there is no answer in time.
  public func call<Answer: Decodable>(
    _ method: HTTPMethod, _ path: String, origin: CallOrigin, body: (any Encodable & Sendable)? = nil,
    seconds: Int64 = 10
  ) async throws -> Answer {
    try decode(try await send(method, path, origin: origin, body: body, seconds: seconds))
  }

  private func decode<Answer: Decodable>(_ data: Data) throws -> Answer {
    do { return try JSON.decoder.decode(Answer.self, from: data) } catch {
      throw ServiceError(
        .unavailable, "\(noun) gave an answer that cannot be read.", detail: String(reflecting: error), retryAfter: 2)
    }
  }

  /// Calls where the answer has no body of interest.
  public func call(
    _ method: HTTPMethod, _ path: String, origin: CallOrigin, body: (any Encodable & Sendable)? = nil,
    seconds: Int64 = 10
  ) async throws {
    _ = try await send(method, path, origin: origin, body: body, seconds: seconds)
  }

  /// Calls where the answer is a document to be passed on.
  public func data(_ path: String, origin: CallOrigin) async throws -> Data {
    try await send(.GET, path, origin: origin, body: nil, seconds: 30)
  }

  /// Calls where the answer is passed on as it comes.
  /// - Parameter offset: How many bytes at its start are not wanted.
  public func open(_ path: String, origin: CallOrigin, from offset: Int64 = 0) async throws -> HTTPClientResponse {
    try await telling {
      var request = request(.GET, path, origin)
      if offset > 0 { request.headers.add(name: "Range", value: "bytes=\(offset)-") }
      let response = try await client.execute(request, timeout: .seconds(Self.longestTransfer))
      guard (200..<300).contains(response.status.code) else {
        throw refusal(of: response, Data(buffer: try await response.body.collect(upTo: Self.largestAnswer)))
      }
      return response
    }
  }

  /// Sends bytes on as they come, and decodes the answer, which may come before all is sent.
  ///
  /// The body is read by a task of this call and by nobody else: when this returns, nothing reads it any more, as a server
  /// demands that goes on with the connection.
  /// - Parameter length: How many bytes there will be; nil when that is not known.
  public func upload<Body: AsyncSequence & Sendable, Answer: Decodable & Sendable>(
    _ path: String, _ body: Body, length: Int64?, origin: CallOrigin
  ) async throws -> Answer where Body.Element == ByteBuffer {
    let relay = AsyncThrowingChannel<ByteBuffer, any Error>()
    return try await withThrowingTaskGroup(of: Answer?.self) { group in
      group.addTask {
        do {
          for try await buffer in body { await relay.send(buffer) }
          relay.finish()
        } catch { relay.fail(error) }
        return nil
      }
      group.addTask {
        let data = try await telling {
          var request = request(.PUT, path, origin)
          request.headers.add(name: "Content-Type", value: "application/octet-stream")
          request.body = .stream(relay, length: length.map { .known($0) } ?? .unknown)
          return try await answer(to: request, seconds: Self.longestTransfer)
        }
        return try decode(data)
      }
      defer { group.cancelAll() }
      while let next = try await group.next() { if let next { return next } }
      throw CancellationError()
    }
  }

  private func send(
    _ method: HTTPMethod, _ path: String, origin: CallOrigin, body: (any Encodable & Sendable)?, seconds: Int64
  ) async throws -> Data {
    try await telling {
      var request = request(method, path, origin)
      if let body {
        request.headers.add(name: "Content-Type", value: "application/json")
        request.body = .bytes(ByteBuffer(bytes: try JSON.encoder.encode(body)))
      }
      return try await answer(to: request, seconds: seconds)
    }
  }

  private func request(_ method: HTTPMethod, _ path: String, _ origin: CallOrigin) -> HTTPClientRequest {
    var request = HTTPClientRequest(url: url + path)
    request.method = method
    request.headers.add(name: "Authorization", value: "Bearer \(secret)")
    request.headers.add(name: "X-Request-Id", value: origin.requestID)
    if let caller = origin.caller {
      request.headers.add(name: HTTPField.Name.caller.rawName, value: caller.headerValue)
    }
    if let key = origin.idempotencyKey {
      request.headers.add(name: HTTPField.Name.idempotencyKey.rawName, value: key)
    }
    if let limits = origin.limits.flatMap({ try? JSON.encoder.encode($0) }) {
      request.headers.add(name: Limits.header, value: String(decoding: limits, as: UTF8.self))
    }
    if let fence = origin.fence { request.headers.add(name: Fence.header, value: fence.description) }
    return request
  }

  private func answer(to request: HTTPClientRequest, seconds: Int64) async throws -> Data {
    let response = try await client.execute(request, timeout: .seconds(seconds))
    let data = Data(buffer: try await response.body.collect(upTo: Self.largestAnswer))
    guard (200..<300).contains(response.status.code) else { throw refusal(of: response, data) }
    return data
  }

  private func telling<Value>(_ body: () async throws -> Value) async throws -> Value {
    do { return try await body() } catch let error as ServiceError { throw error } catch {
      throw ServiceError(
        .unavailable, "\(noun) cannot be reached; try again.", detail: String(reflecting: error), retryAfter: 2)
    }
  }

  private static let largestAnswer = 64 << 20
  /// Seconds that an image's content may be on its way.
  private static let longestTransfer: Int64 = 6 * 3600

  private func refusal(of response: HTTPClientResponse, _ data: Data) -> ServiceError {
    let later = response.headers.first(name: "Retry-After").flatMap { Int($0) }
    guard var error = (try? JSON.decoder.decode(Problem.self, from: data))?.serviceError else {
      return ServiceError(.unavailable, "\(noun) answered \(response.status.code).", retryAfter: later ?? 2)
    }
    error.retryAfter = later
    error.rateLimit = response.headers.first(name: HTTPField.Name.rateLimitLimit.rawName).flatMap { Int($0) }
    return error
  }
}

/// The HTTP client that all calls between services go through.
public enum InternalHTTP {
  /// - Parameter configure: What the use adds, such as a pinned certificate.
  public static func makeClient(_ configure: (inout HTTPClient.Configuration) -> Void = { _ in }) -> HTTPClient {
    var configuration = HTTPClient.Configuration()
    configuration.timeout = .init(connect: .seconds(3))
    // A service that is away must be told as such at once, not after the pool's own attempts.
    configuration.connectionPool.retryConnectionEstablishment = false
    configuration.redirectConfiguration = .disallow
    configuration.http1_1ConnectionDebugInitializer = Keepalive.begin
    configure(&configuration)
    return HTTPClient(eventLoopGroupProvider: .singleton, configuration: configuration)
  }
}

/// Finds out that the other end is gone although nothing said so: its last packets were lost with the network, or the
/// machine with its power. Else a call would wait for its answer as long as it may take (tcp(7)).
private enum Keepalive {
  /// Seconds of silence after which the other end is asked, seconds between two questions, and how many may go unanswered.
  private static let idle = 5
  private static let interval = 2
  private static let count = 3

  @Sendable static func begin(_ channel: any Channel) -> EventLoopFuture<Void> {
    let options: [(NIOBSDSocket.Option, Int)] = [
      (.init(rawValue: TCP_KEEPIDLE), idle), (.init(rawValue: TCP_KEEPINTVL), interval),
      (.init(rawValue: TCP_KEEPCNT), count),
      // Milliseconds for what was sent and is not acknowledged, or not taken: a full disk's queue may hold the other up.
      (.init(rawValue: TCP_USER_TIMEOUT), 60_000),
    ]
    let set = options.map { channel.setOption(.tcpOption($0.0), value: $0.1) }
    return .andAllSucceed(
      set + [channel.setOption(.socketOption(.so_keepalive), value: 1)], on: channel.eventLoop)
  }
}
