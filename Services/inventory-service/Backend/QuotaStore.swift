import Foundation
import Models
import Persistence
import Postgres
import ServiceKit

/// The SQL of what people hold and may hold.
///
/// Whoever takes something for a person locks that person's row, counts what there is, and writes what is new in the same
/// transaction: of any number of requests, each sees what those before it took. What is removed needs no lock, as it only
/// makes room.
struct QuotaStore: Sendable {
  let pool: PostgresPool

  /// - Parameter month: The present one where nil.
  func usage(of owner: UserID, in month: Month? = nil) async throws -> Usage {
    try await pool.withConnection { connection in
      let held = try Self.held(by: owner, with: connection)
      let (month, consumed) = try Self.consumed(by: owner, in: month, with: connection)
      return Usage(user: owner, month: month, held: held, consumed: consumed)
    }
  }

  /// Of every month in which the person consumed something.
  func history(of owner: UserID) async throws -> [Usage] {
    let months = try await pool.rows(
      "SELECT to_char(month, 'YYYY-MM') AS month FROM inventory.consumption WHERE owner = \(owner.uuid) ORDER BY 1"
    ) { Month(try $0("month")) }
    var usages: [Usage] = []
    for month in months { usages.append(try await usage(of: owner, in: month)) }
    return usages
  }

  /// Of everyone who holds something, or consumed something in the month.
  func usages(in month: Month?) async throws -> [Usage] {
    let owners = try await pool.rows(
      """
      SELECT owner FROM inventory.vms UNION SELECT owner FROM inventory.images WHERE deleted_at IS NULL
      UNION SELECT owner FROM inventory.consumption WHERE month = \(Self.first(of: month)) ORDER BY owner
      """
    ) { UserID(try $0("owner", as: UUID.self)) }
    var usages: [Usage] = []
    for owner in owners { usages.append(try await usage(of: owner, in: month)) }
    return usages
  }

  /// Notes what a person may hold from now on; what they hold already stays.
  func limit(_ owner: UserID, _ limits: Limits) async throws {
    try await pool.transaction { _ = try Self.lock(owner, limits, with: $0) }
  }

  // MARK: Taking

  /// Makes sure that the caller may hold so much more, until the transaction ends.
  /// - Returns: The limits that are nearly reached then.
  /// - Throws: `quota_exceeded`.
  static func take(
    _ more: [QuotaResource: Int64], _ origin: RequestOrigin, with connection: isolated PostgresConnection
  ) throws -> [QuotaWarning] {
    try take(more, for: origin.caller.user, origin, with: connection)
  }

  /// The same for the owner of something that the caller may change.
  static func take(
    _ more: [QuotaResource: Int64], for owner: UserID, _ origin: RequestOrigin,
    with connection: isolated PostgresConnection
  ) throws -> [QuotaWarning] {
    let isOwn = owner == origin.caller.user
    let limits = try limits(of: owner, origin, with: connection)
    guard more.values.contains(where: { $0 > 0 }) else { return [] }
    try checkMonth(of: owner, limits, isOwn: isOwn, with: connection)
    let limited = QuotaResource.held.filter { limits[$0] != nil && more[$0, default: 0] > 0 }
    guard !limited.isEmpty else { return [] }
    let held = try held(by: owner, with: connection)
    return try limited.compactMap { resource in
      let (limit, used, requested) = (
        limits[resource, default: 0], held[resource, default: 0], more[resource, default: 0]
      )
      guard used + requested <= limit else {
        throw ServiceError.quotaExceeded(
          QuotaRefusal(resource: resource, limit: limit, used: used, requested: requested), isOwn: isOwn)
      }
      try note(resource, of: owner, from: used, to: used + requested, limit: limit, with: connection)
      return QuotaWarning(resource: resource, limit: limit, used: used + requested)
    }
  }

  /// Makes sure that a person may consume something, as what was off is about to.
  /// - Throws: `quota_exceeded`.
  static func consume(
    for owner: UserID, _ origin: RequestOrigin, with connection: isolated PostgresConnection
  ) throws {
    let isOwn = owner == origin.caller.user
    let limits = try limits(of: owner, origin, with: connection)
    try checkMonth(of: owner, limits, isOwn: isOwn, with: connection)
  }

  /// Locks the owner's row. For somebody who has changed nothing yet, the installation's defaults hold.
  private static func limits(
    of owner: UserID, _ origin: RequestOrigin, with connection: isolated PostgresConnection
  ) throws -> [QuotaResource: Int64] {
    let told = owner == origin.caller.user ? origin.limits : nil
    return try lock(owner, told, with: connection).limits ?? origin.limits?.defaults ?? [:]
  }

  private static func checkMonth(
    of owner: UserID, _ limits: [QuotaResource: Int64], isOwn: Bool, with connection: isolated PostgresConnection
  ) throws {
    let limited = QuotaResource.consumed.filter { limits[$0] != nil }
    guard !limited.isEmpty else { return }
    let (_, consumed) = try consumed(by: owner, in: nil, with: connection)
    for resource in limited {
      let (limit, used) = (limits[resource, default: 0], consumed[resource, default: 0])
      guard used >= limit else { continue }
      let next = try connection.execute(
        "SELECT (\(MeterStore.thisMonth) + interval '1 month') AT TIME ZONE 'UTC' AS next"
      )
      .first { try $0("next", as: Date.self) }
      throw ServiceError.quotaExceeded(
        QuotaRefusal(resource: resource, limit: limit, used: used, requested: 0, resetsAt: next), isOwn: isOwn)
    }
  }

  /// Counts so many bytes for an image that is being made.
  /// - Throws: `quota_exceeded` when that is more than before, and more than the owner may hold.
  static func charge(_ bytes: Int64, for image: ImageID, with connection: isolated PostgresConnection) throws {
    let owner = try connection.execute("SELECT owner FROM inventory.images WHERE id = \(image.uuid)").first {
      UserID(try $0("owner"))
    }
    guard let owner else { throw ServiceError.notFound(.image) }
    let limits = try lock(owner, nil, with: connection).limits ?? [:]
    let charged = try connection.execute(
      """
      UPDATE inventory.images i SET charged = \(bytes) FROM inventory.images old
      WHERE i.id = \(image.uuid) AND old.id = i.id RETURNING old.charged
      """
    ).first { try $0("charged", as: Int64.self) }
    guard let limit = limits[.imageBytes], let charged, bytes > charged else { return }
    let used = try held(by: owner, with: connection)[.imageBytes, default: 0] - bytes
    guard used + bytes <= limit else {
      throw ServiceError.quotaExceeded(
        QuotaRefusal(resource: .imageBytes, limit: limit, used: used, requested: bytes))
    }
    try note(.imageBytes, of: owner, from: used + charged, to: used + bytes, limit: limit, with: connection)
  }

  /// Notes that four fifths, or all, of a limit are reached by what is being taken.
  private static func note(
    _ resource: QuotaResource, of owner: UserID, from before: Int64, to after: Int64, limit: Int64,
    with connection: isolated PostgresConnection
  ) throws {
    for level in QuotaEvent.levels(from: before, to: after, of: limit) {
      _ = try connection.execute(
        """
        INSERT INTO inventory.quota_events (owner, resource, level, used, quota)
        VALUES (\(owner.uuid), \(resource.rawValue), \(level), \(after), \(limit))
        """)
    }
  }

  /// What people came near to, the latest first.
  /// - Parameters:
  ///   - owner: Nil for everyone's.
  ///   - limit: How many at most.
  func events(of owner: UserID?, limit: Int) async throws -> [QuotaEvent] {
    let condition: SQL = owner.map { "owner = \($0.uuid)" } ?? "true"
    return try await pool.rows(
      """
      SELECT id, owner, resource, level, used, quota, at FROM inventory.quota_events WHERE \(condition)
      ORDER BY at DESC, id LIMIT \(limit)
      """
    ) { row in
      QuotaEvent(
        id: UUIDText(try row("id")), user: UserID(try row("owner")), resource: try row.wire("resource"),
        level: try row("level"), used: try row("used"), limit: try row("quota"), at: try row("at"))
    }
  }

  /// - Parameter told: What the gateway said with the request; nil where what it said last holds.
  /// - Returns: What holds; no limits where the gateway never said anything of this person.
  private static func lock(
    _ owner: UserID, _ told: Limits?, with connection: isolated PostgresConnection
  ) throws -> (limits: [QuotaResource: Int64]?, revision: Int64) {
    let text = try told.map { try JSONText.encode($0.numbers) }
    let found: (limits: [QuotaResource: Int64], revision: Int64)? = try connection.execute(
      """
      INSERT INTO inventory.accounts AS a (owner, limits, revision)
      VALUES (\(owner.uuid), coalesce(\(text)::jsonb, '{}'), \(told?.revision ?? -1))
      ON CONFLICT (owner) DO UPDATE SET revision = greatest(a.revision, excluded.revision),
        limits = CASE WHEN \(told != nil) AND excluded.revision >= a.revision THEN excluded.limits ELSE a.limits END
      RETURNING a.limits::text AS limits, a.revision
      """
    ).first { (limits: try $0.json("limits"), revision: try $0("revision")) }
    guard let found, found.revision >= 0 else { return (nil, -1) }
    return found
  }

  // MARK: Counting

  /// As something counts for its owner.
  static func weight(
    of resource: SharedResource, with connection: isolated PostgresConnection
  ) throws -> [QuotaResource: Int64] {
    switch resource {
    case .vm(let id): return try VMStore.place(of: id, with: connection).room.held.merging([.vms: 1]) { $1 }
    case .image(let id):
      let bytes = try connection.execute("SELECT \(bytes) AS bytes FROM inventory.images WHERE id = \(id.uuid)").first {
        try $0("bytes", as: Int64.self)
      }
      return [.images: 1, .imageBytes: bytes ?? 0]
    }
  }

  /// Of an image: what has come or is sure to come while it is being made, then its file, and nothing of one that failed.
  private static let bytes: SQL = "CASE state WHEN 'available' THEN size WHEN 'error' THEN 0 ELSE charged END"

  static func held(
    by owner: UserID, with connection: isolated PostgresConnection
  ) throws -> [QuotaResource: Int64] {
    let held = try connection.execute(
      """
      SELECT vms, vcpus, mem, disk, images, image_bytes
      FROM (SELECT count(*) AS vms, coalesce(sum(vcpus), 0)::bigint AS vcpus, coalesce(sum(mem), 0)::bigint AS mem,
          coalesce(sum(disk), 0)::bigint AS disk FROM inventory.vms WHERE owner = \(owner.uuid)) v,
        (SELECT count(*) AS images, coalesce(sum(\(bytes)), 0)::bigint AS image_bytes FROM inventory.images
          WHERE owner = \(owner.uuid) AND deleted_at IS NULL) i
      """
    ).first { row in
      let numbers: [QuotaResource: Int64] = [
        .vms: try row("vms"), .vcpus: try row("vcpus"), .mem: try row("mem"), .disk: try row("disk"),
        .images: try row("images"), .imageBytes: try row("image_bytes"),
      ]
      return numbers
    }
    return held ?? [:]
  }
}

extension QuotaStore {
  private static func first(of month: Month?) -> SQL {
    month.map { "to_date(\($0.description), 'YYYY-MM')" } ?? MeterStore.thisMonth
  }

  private static func consumed(
    by owner: UserID, in month: Month?, with connection: isolated PostgresConnection
  ) throws -> (Month, [QuotaResource: Int64]) {
    let found = try connection.execute(
      """
      SELECT to_char(m.first, 'YYYY-MM') AS month, coalesce(cpu, 0) / 1000000 AS cpu, coalesce(mem, 0) / 3600000 AS mem,
        coalesce(disk_read, 0) AS disk_read, coalesce(disk_written, 0) AS disk_written, coalesce(net_rx, 0) AS net_rx,
        coalesce(net_tx, 0) AS net_tx
      FROM (SELECT \(first(of: month)) AS first) m
        LEFT JOIN inventory.consumption c ON c.owner = \(owner.uuid) AND c.month = m.first
      """
    ).first { row in
      let numbers: [QuotaResource: Int64] = [
        .cpuSeconds: try row("cpu"), .memMiBHours: try row("mem"), .diskReadBytes: try row("disk_read"),
        .diskWrittenBytes: try row("disk_written"), .netRxBytes: try row("net_rx"), .netTxBytes: try row("net_tx"),
      ]
      return (Month(try row("month")), numbers)
    }
    guard let (month, numbers) = found, let month else { throw Month.invalid }
    return (month, numbers)
  }
}

extension Room {
  /// As a VM of this size counts for its owner.
  var held: [QuotaResource: Int64] { [.vcpus: Int64(vcpus), .mem: Int64(mem), .disk: Int64(disk)] }
}
