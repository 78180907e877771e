import AsyncHTTPClient
import Foundation
import Models
import NIOCore
import NIOHTTP1
import ServiceKit
import TestSupport

/// What a gateway answered.
struct Answer: Sendable, CustomStringConvertible {
  let status: Int
  var operation: OperationID?
  let data: Data
  /// Whether an answer before this one was lost, so that what is refused may have been taken already.
  var isRepeated = false

  var description: String { "\(status) \(String(decoding: data.prefix(600), as: UTF8.self))" }
  var isSuccess: Bool { (200..<300).contains(status) }
  var problem: String? { (try? JSON.decoder.decode(ProblemCode.self, from: data))?.code }

  func json<Value: Decodable>(_: Value.Type = Value.self) throws -> Value {
    guard isSuccess else { throw Unexpected("\(self)") }
    return try JSON.decoder.decode(Value.self, from: data)
  }

  private struct ProblemCode: Decodable { let code: String }
}

/// Something came out otherwise than it must.
struct Unexpected: Error, CustomStringConvertible {
  let description: String

  init(_ description: String) { self.description = description }
}

/// Throws unless the condition holds.
func require(_ condition: Bool, _ what: @autoclosure () -> String) throws {
  guard condition else { throw Unexpected(what()) }
}

/// The client of all requests: whoever is away is told at once.
enum Web {
  static let client: HTTPClient = {
    var configuration = HTTPClient.Configuration()
    configuration.timeout = .init(connect: .seconds(2))
    configuration.connectionPool.retryConnectionEstablishment = false
    return HTTPClient(eventLoopGroupProvider: .singleton, configuration: configuration)
  }()
}

/// A person's client, which knows both gateways and comes again when one does not answer.
struct Client: Sendable {
  let gateways: [String]
  var token: String?

  /// - Parameters:
  ///   - gateway: Which one is asked; nil for any.
  ///   - wait: Seconds that the gateway may wait for the end of the operation.
  ///   - seconds: How long the whole call may take.
  func call(
    _ method: HTTPMethod, _ path: String, _ body: (any Encodable & Sendable)? = nil, gateway: Int? = nil,
    wait: Int = 0, key: String? = nil, seconds: Int64 = 15
  ) async throws -> Answer {
    let gateway = gateway ?? Int.random(in: 0..<gateways.count)
    var request = HTTPClientRequest(url: gateways[gateway] + path)
    request.method = method
    request.headers.add(name: "Prefer", value: wait == 0 ? "respond-async" : "wait=\(wait)")
    if let token { request.headers.add(name: "Authorization", value: token) }
    if let key { request.headers.add(name: "Idempotency-Key", value: key) }
    if let body {
      request.headers.add(name: "Content-Type", value: "application/json")
      request.body = .bytes(ByteBuffer(bytes: try JSON.encoder.encode(body)))
    }
    let response = try await Web.client.execute(request, timeout: .seconds(seconds))
    let data = Data(buffer: try await response.body.collect(upTo: 16 << 20))
    let operation = response.headers.first(name: "Operation-Location").flatMap { $0.split(separator: "/").last }
    return Answer(
      status: Int(response.status.code), operation: operation.flatMap { OperationID(String($0)) }, data: data)
  }

  /// Comes again, by the other gateway, until there is an answer that is no excuse.
  /// - Parameter key: Under which a creation may be sent again.
  func insist(
    _ method: HTTPMethod, _ path: String, _ body: (any Encodable & Sendable)? = nil, wait: Int = 0,
    key: String? = nil, within time: Duration = .seconds(60)
  ) async throws -> Answer {
    let key = method == .POST ? key ?? UUID().uuidString : nil
    let end = ContinuousClock.now + time
    var (last, isRepeated) = ("no answer", false)
    for attempt in Int.random(in: 0...1)... where ContinuousClock.now < end || attempt < 2 {
      do {
        var answer = try await call(
          method, path, body, gateway: attempt % gateways.count, wait: wait, key: key, seconds: Int64(wait) + 5)
        answer.isRepeated = isRepeated
        if answer.status < 500 || answer.status == 507 { return answer }
        last = "\(answer)"
      } catch let error as CancellationError { throw error } catch { last = "\(error)" }
      isRepeated = true
      guard ContinuousClock.now < end else { break }
      try await Task.sleep(for: .milliseconds(200))
    }
    throw Unexpected("\(method) \(path): \(last)")
  }

  func get<Value: Decodable & Sendable>(_ path: String, _: Value.Type = Value.self) async throws -> Value {
    try await insist(.GET, path).json()
  }

  /// The operation as it ended.
  /// - Throws: `Unexpected` when it does not end in time.
  func end(of id: OperationID, within time: Duration = .seconds(90)) async throws -> Models.Operation {
    let end = ContinuousClock.now + time
    while true {
      let operation = try await get("/iaas/operations/\(id)", Models.Operation.self)
      if operation.status.isSettled { return operation }
      guard ContinuousClock.now < end else {
        throw Unexpected("\(operation.kind.rawValue) \(id) does not end: \(operation.status) \(operation.step ?? "")")
      }
      try await Task.sleep(for: .milliseconds(60))
    }
  }
}
