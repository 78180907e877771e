import Foundation
import Models
import Persistence
import Postgres
import Query

import struct Models.Operation

/// An operation that this process holds for the time of its lease.
struct Claim: Sendable {
  let id: OperationID
  let kind: OperationKind
  let resource: UUIDText
  let epoch: Int64
  /// Which try this is, from 1.
  let attempt: Int
  let requestID: String
  /// Seconds since it was asked for.
  let age: Double
  /// Seconds since the guest was first asked to end; 0 when it was not.
  let patience: Double
  /// Seconds until the operation must have ended.
  let secondsLeft: Double
}

/// The SQL of operations: durable work, leased by an epoch on the database's clock.
struct OperationStore: Sendable {
  let pool: PostgresPool
  /// How long a claim is good without renewal.
  var leaseSeconds = OperationStore.standardLeaseSeconds

  static let standardLeaseSeconds = 15
  static let channel = "inventory_operations"

  private static let columns: SQL = """
    id, kind, resource, status, step, progress_done, progress_total, progress_rate, error_code, error_message, request_id,
    created_at, ended_at
    """

  private static func operation(_ row: PostgresRow) throws -> Operation {
    let code: String? = try row.optional("error_code")
    let message: String? = try row.optional("error_message")
    return Operation(
      id: OperationID(try row("id")), kind: try row.wire("kind"), resource: UUIDText(try row("resource")),
      status: try row.wire("status"), step: try row.optional("step"),
      progress: try row.progress(),
      error: code.map { Failure(code: $0, message: message ?? "") }, requestId: try row.optional("request_id"),
      createdAt: try row("created_at"), endedAt: try row.optional("ended_at"))
  }

  static let busy = ServiceError(
    .invalidState, "Something else is being done to it right now; wait for that to end.")

  /// Adds an operation in the transaction that writes its intent.
  /// - Throws: `invalid_state` when something else is being done to the resource.
  static func insert(
    _ kind: OperationKind, on resource: UUIDText, _ origin: RequestOrigin, with connection: isolated PostgresConnection
  ) throws -> Operation {
    try insert(kind, on: resource, owner: origin.caller.user, requestID: origin.requestID, with: connection)
  }

  static func insert(
    _ kind: OperationKind, on resource: UUIDText, owner: UserID, requestID: String,
    with connection: isolated PostgresConnection
  ) throws -> Operation {
    do {
      return try connection.execute(
        """
        INSERT INTO inventory.operations (id, kind, resource, owner, request_id, deadline_at)
        VALUES (\(OperationID.make().uuid), \(kind.rawValue), \(resource.uuid), \(owner.uuid), \(requestID),
          now() + \(kind.deadlineSeconds) * interval '1 second')
        RETURNING \(columns)
        """
      ).map(operation)[0]
    } catch let error as PostgresError where error.constraint == "operations_active" { throw busy }
  }

  /// Adds an operation that this process holds from the start: what it is about comes with the request.
  /// - Throws: `invalid_state` when something else is being done to the resource.
  static func insertClaimed(
    _ kind: OperationKind, on resource: UUIDText, _ origin: RequestOrigin, leaseSeconds: Int,
    with connection: isolated PostgresConnection
  ) throws -> Claim {
    let operation = try insert(kind, on: resource, origin, with: connection)
    let claims = try connection.execute(claim(where: "id = \(operation.id.uuid)", leaseSeconds: leaseSeconds)).map(
      claim)
    guard let claim = claims.first else { throw ClaimLost() }
    return claim
  }

  /// Puts a claim down in the transaction that writes how far it has come; whoever is free goes on with it.
  /// - Throws: `ClaimLost`.
  static func handOver(_ claim: Claim, step: String, with connection: isolated PostgresConnection) throws -> Operation {
    let handed = try connection.execute(
      """
      UPDATE inventory.operations SET status = 'pending', due_at = now(), step = \(step)
      WHERE id = \(claim.id.uuid) AND epoch = \(claim.epoch) AND status = 'running' RETURNING \(columns)
      """
    ).first(operation)
    guard let handed else { throw ClaimLost() }
    return handed
  }

  /// Ends what is under way on a resource, so that a removal can begin. Whoever works on it finds its epoch gone.
  static func cancel(on resource: UUIDText, with connection: isolated PostgresConnection) throws {
    _ = try connection.execute(
      """
      UPDATE inventory.operations SET status = 'cancelled', epoch = epoch + 1, ended_at = now()
      WHERE resource = \(resource.uuid) AND status IN ('pending', 'running')
      """)
  }

  static func active(on resource: UUIDText, with connection: isolated PostgresConnection) throws -> Operation? {
    try connection.execute(
      """
      SELECT \(columns) FROM inventory.operations
      WHERE resource = \(resource.uuid) AND status IN ('pending', 'running')
      """
    ).first(operation)
  }

  /// Operations are seen by whoever asked for them, and by those who see what they are done to.
  private static func visible(to caller: Caller) -> SQL {
    caller.admin
      ? "true"
      : "(owner = \(caller.user.uuid) OR \(Permissions.condition(.see, caller, on: "resource")))"
  }

  func listing(_ caller: Caller) -> Listing<Operation> {
    Listing(
      pool: pool, columns: Self.columns, source: "inventory.operations", id: "id", visible: Self.visible(to: caller),
      fields: QuerySchema([
        QueryField("id", .identifier, "id"), QueryField("kind", .text, "kind"),
        QueryField("resource", .identifier, "resource"), QueryField("status", .text, "status"),
        QueryField("requestId", .text, "request_id"), QueryField("createdAt", .time, "created_at"),
        QueryField("endedAt", .time, "ended_at"),
      ]),
      sortKeys: [SortKey("createdAt", "created_at", as: "timestamptz")], decode: Self.operation)
  }

  /// An operation of ours, whoever asked for it.
  func get(_ id: OperationID) async throws -> Operation? {
    try await pool.first("SELECT \(Self.columns) FROM inventory.operations WHERE id = \(id.uuid)", Self.operation)
  }

  func get(_ id: OperationID, _ caller: Caller) async throws -> Operation? {
    try await pool.first(
      """
      SELECT \(Self.columns) FROM inventory.operations
      WHERE id = \(id.uuid) AND \(Self.visible(to: caller))
      """, Self.operation)
  }

  /// Takes one due operation, also one whose holder let the lease run out.
  func claim(_ lane: WorkLane? = nil) async throws -> Claim? {
    try await pool.first(
      Self.claim(
        where: """
          id = (SELECT id FROM inventory.operations
            WHERE status IN ('pending', 'running') AND due_at <= now() AND \(Self.isIn(lane))
            ORDER BY due_at LIMIT 1 FOR UPDATE SKIP LOCKED)
          """, leaseSeconds: leaseSeconds), Self.claim)
  }

  private static func claim(where condition: SQL, leaseSeconds: Int) -> SQL {
    """
    UPDATE inventory.operations SET status = 'running', epoch = epoch + 1, attempts = attempts + 1,
      due_at = now() + \(leaseSeconds) * interval '1 second'
    WHERE \(condition)
    RETURNING id, kind, resource, epoch, attempts, request_id, extract(epoch FROM now() - created_at)::float8 AS age,
      coalesce(extract(epoch FROM now() - asked_at), 0)::float8 AS patience,
      extract(epoch FROM deadline_at - now())::float8 AS seconds_left
    """
  }

  private static func claim(_ row: PostgresRow) throws -> Claim {
    Claim(
      id: OperationID(try row("id")), kind: try row.wire("kind"), resource: UUIDText(try row("resource")),
      epoch: try row("epoch"), attempt: try row("attempts"), requestID: try row.optional("request_id") ?? "",
      age: try row("age"), patience: try row("patience"), secondsLeft: try row("seconds_left"))
  }

  /// Seconds until the next operation is due; nil when there is none.
  func secondsToNext(_ lane: WorkLane? = nil) async throws -> Double? {
    try await pool.first(
      """
      SELECT extract(epoch FROM min(due_at) - now())::float8 AS seconds FROM inventory.operations
      WHERE status IN ('pending', 'running') AND \(Self.isIn(lane))
      """
    ) { try $0.optional("seconds") } ?? nil
  }

  /// Keeps a claim for another lease and notes how far it is.
  /// - Returns: Whether the claim still stands.
  func renew(_ claim: Claim, step: String?, progress: OperationProgress?) async throws -> Bool {
    try await pool.execute(
      """
      UPDATE inventory.operations SET due_at = now() + \(leaseSeconds) * interval '1 second',
        step = coalesce(\(step), step), progress_done = coalesce(\(progress?.done)::bigint, progress_done),
        progress_total = coalesce(\(progress?.total)::bigint, progress_total),
        progress_rate = coalesce(\(progress?.rate)::bigint, progress_rate)
      WHERE id = \(claim.id.uuid) AND epoch = \(claim.epoch) AND status = 'running'
      """) == 1
  }

  /// Forgets what ended long ago.
  func sweep() async throws {
    try await pool.execute(
      """
      DELETE FROM inventory.operations WHERE created_at < now() - \(Self.keptDays) * interval '1 day'
        AND status NOT IN ('pending', 'running')
      """)
  }

  private static let keptDays = 90

  /// Puts a claim down, to be taken up again after a while.
  /// - Parameter isAsking: Whether the guest has been asked to end.
  func postpone(_ claim: Claim, seconds: Double, step: String?, isAsking: Bool = false) async throws {
    try await pool.execute(
      """
      UPDATE inventory.operations SET due_at = now() + \(seconds)::float8 * interval '1 second',
        asked_at = CASE WHEN \(isAsking) THEN coalesce(asked_at, now()) ELSE asked_at END,
        step = coalesce(\(step), step)
      WHERE id = \(claim.id.uuid) AND epoch = \(claim.epoch) AND status = 'running'
      """)
  }

  /// Ends the operation in the transaction that writes its effect.
  /// - Throws: `ClaimLost` when someone else holds it now; the transaction must not be committed.
  static func complete(_ claim: Claim, error: ServiceError?, with connection: isolated PostgresConnection) throws {
    let changed = try connection.execute(
      """
      UPDATE inventory.operations SET status = \(error == nil ? "done" : "failed"), ended_at = now(),
        error_code = \(error?.code.rawValue), error_message = \(error?.message)
      WHERE id = \(claim.id.uuid) AND epoch = \(claim.epoch) AND status = 'running'
      """
    ).affected
    guard changed == 1 else { throw ClaimLost() }
  }
}

/// What is worked on apart: images take hours, and must not keep VMs waiting.
enum WorkLane: Sendable { case images, others }

extension OperationStore {
  private static func isIn(_ lane: WorkLane?) -> SQL {
    switch lane {
    case .images: "kind LIKE 'image%'"
    case .others: "kind NOT LIKE 'image%'"
    case nil: "true"
    }
  }
}

extension OperationKind {
  /// Seconds within which it ends, one way or the other.
  var deadlineSeconds: Int {
    switch self {
    case .imageImport, .imageUpload, .imageSnapshot: ImageImport.deadlineSeconds
    // An image may have to be fetched by the host first, or a disk to be copied.
    case .vmCreate, .vmRebuild: 1800
    case .vmCapture, .vmMove: 2 * 3600
    case .vmStart, .vmStop, .vmReboot, .vmReset, .vmPause, .vmResume, .vmResize, .vmCap: 300
    case .vmDelete: 600
    case .hostDelete: 1800
    }
  }
}

/// The lease ran out and the operation was taken by someone else, or it was cancelled.
struct ClaimLost: Error {}

extension PostgresRow {
  /// The columns of an operation's progress; nil when nothing has moved yet.
  func progress() throws -> OperationProgress? {
    let total: Int64? = try optional("progress_total")
    let rate: Int64? = try optional("progress_rate")
    return try optional("progress_done").map { OperationProgress(done: $0, total: total, rate: rate) }
  }

  /// A value of one of the wire enumerations.
  func wire<Value: RawRepresentable>(_ column: String) throws -> Value where Value.RawValue == String {
    let text: String = try self(column)
    guard let value = Value(rawValue: text) else { throw PostgresDecodingError(column: column, reason: "is '\(text)'") }
    return value
  }
}
