import Crypto
import Foundation
import Models
import Postgres
import ServiceKit

/// Who asks for something, under which request id, and under which key it may be asked for again.
public struct RequestOrigin: Sendable {
  public var caller: Caller
  public var requestID: String
  public var idempotencyKey: String?
  /// What the caller may hold and consume; nil where nobody said.
  public var limits: Limits?

  public init(caller: Caller, requestID: String, idempotencyKey: String? = nil, limits: Limits? = nil) {
    self.caller = caller
    self.requestID = requestID
    self.idempotencyKey = idempotencyKey
    self.limits = limits
  }
}

extension CallerContext {
  public var asked: RequestOrigin {
    RequestOrigin(caller: caller, requestID: requestID, idempotencyKey: idempotencyKey, limits: limits)
  }
}

/// One key, one effect: what was answered stands in the transaction that had the effect. Each schema has a table of its
/// own, with the columns `caller`, `key`, `request`, `answer` and `created_at`.
public struct Idempotency: Sendable {
  private let table: SQL

  /// Hours for which a key is remembered.
  private static let hours = 24
  private static let longestKey = 255

  public init(table: SQL) { self.table = table }

  /// Does what is asked for unless the same caller asked for the same thing under this key already; then the first answer
  /// is given again. A request that failed left nothing and may be repeated.
  /// - Parameter request: What tells it from another one; nothing secret, as its digest is kept.
  /// - Throws: `invalid_field` when the key was used for something else.
  public func once<Answer: Codable & Sendable>(
    _ origin: RequestOrigin, _ action: String, _ request: some Encodable,
    with connection: isolated PostgresConnection, _ body: (isolated PostgresConnection) throws -> Answer
  ) throws -> Answer {
    guard let key = origin.idempotencyKey else { return try body(connection) }
    let digest = try Self.digest(action, request, key: key)
    // Whoever comes second waits here until the first has committed, or has failed.
    let isFirst =
      try connection.execute(
        """
        INSERT INTO \(table) AS i (caller, key, request) VALUES (\(origin.caller.user.uuid), \(key), \(digest))
        ON CONFLICT (caller, key) DO UPDATE SET request = excluded.request, answer = NULL, created_at = now()
          WHERE i.created_at < now() - \(Self.hours) * interval '1 hour'
        """
      ).affected == 1
    guard isFirst else { return try answer(to: origin, key, digest, with: connection) ?? { throw Self.reused }() }
    let answer = try body(connection)
    let text = String(decoding: try JSON.encoder.encode(answer), as: UTF8.self)
    _ = try connection.execute(
      "UPDATE \(table) SET answer = \(text) WHERE caller = \(origin.caller.user.uuid) AND key = \(key)")
    return answer
  }

  /// The first answer to a request that came before; nil when it did not. For those who have something to do before their
  /// transaction.
  /// - Throws: `invalid_field` when the key was used for something else.
  public func answer<Answer: Codable & Sendable>(
    to origin: RequestOrigin, _ action: String, _ request: some Encodable, in pool: PostgresPool
  ) async throws -> Answer? {
    guard let key = origin.idempotencyKey else { return nil }
    let digest = try Self.digest(action, request, key: key)
    return try await pool.withConnection { try answer(to: origin, key, digest, with: $0) }
  }

  private static func digest(_ action: String, _ request: some Encodable, key: String) throws -> Data {
    _ = try Text.checked(key, field: "Idempotency-Key", limit: longestKey)
    return Data(SHA256.hash(data: Data(action.utf8) + [0] + (try JSON.encoder.encode(request))))
  }

  private func answer<Answer: Decodable>(
    to origin: RequestOrigin, _ key: String, _ digest: Data, with connection: isolated PostgresConnection
  ) throws -> Answer? {
    let first = try connection.execute(
      """
      SELECT request, answer FROM \(table) WHERE caller = \(origin.caller.user.uuid) AND key = \(key)
        AND created_at >= now() - \(Self.hours) * interval '1 hour'
      """
    ).first { (request: try $0("request", as: Data.self), answer: try $0.optional("answer", as: String.self)) }
    guard let first else { return nil }
    guard let answer = first.answer, first.request == digest else { throw Self.reused }
    return try JSON.decoder.decode(Answer.self, from: Data(answer.utf8))
  }

  private static let reused = ServiceError.invalid(
    "Idempotency-Key", "was used for another request in the last 24 hours.")

  /// Forgets keys that no longer count.
  public func sweep(_ pool: PostgresPool) async throws {
    try await pool.execute(
      "DELETE FROM \(table) WHERE created_at < now() - \(Self.hours) * interval '1 hour'")
  }
}
