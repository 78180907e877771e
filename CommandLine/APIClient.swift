import Foundation
import Models

/// A value of the API together with the bytes it was read from.
struct Fetched<Value: Sendable>: Sendable {
  let value: Value
  let json: Data
}

/// Asks the API: send, then decode, or else say what went wrong.
struct APIClient: Sendable {
  let server: ServerAddress
  let token: String?
  let transport: any Transport

  /// Sends with the token of who is logged in.
  /// - Throws: `CommandFailure` for anything but a success.
  func send(_ request: APIRequest) async throws -> APIAnswer {
    try await sendUnauthenticated(try authenticated(request))
  }

  /// Hands over an answer as it comes, until it ends.
  func stream(_ request: APIRequest, _ receive: @Sendable (Data) throws -> Void) async throws {
    let answer = try await transport.stream(described(try authenticated(request)), to: server, receive)
    _ = try successful(answer)
  }

  /// Sends a file as the body, as `send`.
  /// - Throws: `CommandFailure` for anything but a success, also for one that did not wait for the whole file.
  func send(_ request: APIRequest, _ body: FilePieces) async throws -> APIAnswer {
    let answer = try await transport.send(described(try authenticated(request)), body, to: server)
    let success = try successful(answer)
    guard body.content.isExhausted else {
      throw CommandFailure(.failed, "\(server) answered \(answer.status) before it had the whole file.")
    }
    return success
  }

  /// - Throws: `CommandFailure` for anything but a success.
  func sendUnauthenticated(_ request: APIRequest) async throws -> APIAnswer {
    try successful(try await transport.send(described(request), to: server))
  }

  private func authenticated(_ request: APIRequest) throws -> APIRequest {
    guard let token else {
      throw CommandFailure(.refused, "You are not logged in to \(server). Run: iaas login EMAIL")
    }
    var request = request
    request.headers["Authorization"] = "Bearer \(token)"
    return request
  }

  private func described(_ request: APIRequest) -> APIRequest {
    var request = request
    request.headers["User-Agent"] = "iaas/\(Version.current)"
    request.headers["Accept"] = "application/json, application/problem+json, text/plain;q=0.5"
    return request
  }

  private func successful(_ answer: APIAnswer) throws -> APIAnswer {
    guard (200..<300).contains(answer.status) else { throw failure(of: answer) }
    return answer
  }

  /// GET of one object or a list, decoded.
  func get<Value: Decodable & Sendable>(
    _: Value.Type, _ path: String, query: [(name: String, value: String)] = [], held: Int = 0
  ) async throws -> Fetched<Value> {
    var request = APIRequest.get(path, query: query)
    request.held = held
    return try decode(try await send(request))
  }

  /// - Throws: `CommandFailure` for what is not JSON, or lacks what is needed of it.
  func decode<Value: Decodable>(_ answer: APIAnswer) throws -> Fetched<Value> {
    guard answer.isJSON, let value = try? JSONDecoder().decode(Value.self, from: answer.body) else {
      throw unreadable(answer)
    }
    return Fetched(value: value, json: answer.body)
  }

  /// The answer of a resource that is plain text.
  /// - Throws: `CommandFailure` for anything else.
  func text(_ path: String, query: [(name: String, value: String)]) async throws -> Data {
    let answer = try await send(.get(path, query: query))
    guard answer.mediaType == "text/plain" else { throw unreadable(answer) }
    return answer.body
  }

  /// The token in an answer to a login (RFC 6750, 2.1: visible ASCII).
  /// - Throws: `CommandFailure` for anything else.
  func decodeToken(_ answer: APIAnswer) throws -> String {
    let text = String(decoding: answer.body.prefix(8192), as: UTF8.self).trimmingCharacters(in: .whitespacesAndNewlines)
    guard answer.mediaType == "text/plain", Token.isPlausible(text) else { throw unreadable(answer) }
    return text
  }

  private func unreadable(_ answer: APIAnswer) -> CommandFailure {
    let type = answer.mediaType.isEmpty ? "no content type" : answer.mediaType
    return CommandFailure(
      .failed, "\(server) answered \(answer.status) with what cannot be read (\(type)). Is it an IaaS server?")
  }

  private func failure(of answer: APIAnswer) -> CommandFailure {
    if answer.isJSON, let problem = try? JSONDecoder().decode(Problem.self, from: answer.body) {
      return problem.failure(httpStatus: answer.status, retryAfter: answer.headers["retry-after"].flatMap { Int($0) })
    }
    if answer.mediaType == "text/html" { return unreadable(answer) }
    if let elsewhere = answer.headers["location"], (300..<400).contains(answer.status) {
      return CommandFailure(.failed, "\(server) redirects to \(elsewhere), which is not followed; set IAAS_URL to it.")
    }
    return CommandFailure(
      CommandStatus(httpStatus: answer.status, code: nil), "\(server) answered \(answer.status) and did not say why.")
  }
}

/// What may stand after `Bearer`.
enum Token {
  static func isPlausible(_ text: String) -> Bool {
    !text.isEmpty && text.utf8.allSatisfy { (0x21...0x7e).contains($0) && $0 != UInt8(ascii: "<") }
  }
}
