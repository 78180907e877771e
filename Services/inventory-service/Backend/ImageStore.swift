import Foundation
import Models
import Persistence
import Postgres
import Query

/// An image as it is to be written down.
struct ImageRecord: Sendable {
  let name: String
  let desc: String
  /// Nil when the content will be uploaded.
  let url: String?
  let sha256: String?
  let checksums: String?
  let arch: String
}

/// The SQL of images, as people see and change them.
struct ImageStore: Sendable {
  let pool: PostgresPool
  /// How long the claim on an upload is good without renewal.
  var leaseSeconds = OperationStore.standardLeaseSeconds

  private static let columns: SQL = """
    i.id, i.owner, i.name, i.description, i.url, i.state, i.error_code, i.error_message, i.size, i.virtual_size,
    i.sha256, i.arch, i.source_vm, i.consistency, i.created_at, o.progress_done, o.progress_total, o.progress_rate
    """

  /// With what is being done to each, for its progress.
  private static let source: SQL = """
    inventory.images i LEFT JOIN inventory.operations o ON o.resource = i.id AND o.status IN ('pending', 'running')
    """

  private static func image(_ row: PostgresRow) throws -> Image {
    let code: String? = try row.optional("error_code")
    let message: String? = try row.optional("error_message")
    let state: ImageState = try row.wire("state")
    return Image(
      id: ImageID(try row("id", as: UUID.self)), name: try row("name"), desc: try row("description"),
      url: try row.optional("url"), state: state, error: code.map { Failure(code: $0, message: message ?? "") },
      progress: try row.progress(), format: state == .available ? "qcow2" : nil, size: try row.optional("size"),
      virtualSize: try row.optional("virtual_size"), sha256: try row.optional("sha256"),
      arch: try row("arch"), vm: try row.optional("source_vm", as: UUID.self).map { VMID($0) },
      consistency: try row.optional("consistency", as: String.self).flatMap(Consistency.init(rawValue:)),
      owner: UserID(try row("owner", as: UUID.self)), createdAt: try row("created_at"))
  }

  /// The images that the caller may see.
  func listing(_ caller: Caller) -> Listing<Image> {
    Listing(
      pool: pool, columns: Self.columns, source: Self.source, id: "i.id",
      visible: "i.deleted_at IS NULL AND \(Permissions.condition(.see, caller, on: "i.id"))",
      fields: QuerySchema([
        QueryField("id", .identifier, "i.id"), QueryField("name", .text, "i.name"),
        QueryField("desc", .text, "i.description"), QueryField("url", .text, "i.url"),
        QueryField("state", .text, "i.state"), QueryField("size", .number, "i.size"),
        QueryField("virtualSize", .number, "i.virtual_size"), QueryField("sha256", .text, "i.sha256"),
        QueryField("arch", .text, "i.arch"),
        QueryField("vm", .identifier, "i.source_vm"), QueryField("owner", .identifier, "i.owner"),
        QueryField("createdAt", .time, "i.created_at"),
      ]),
      sortKeys: [SortKey("createdAt", "i.created_at", as: "timestamptz"), SortKey("name", "i.name", as: "text")],
      count: caller.admin
        ? "SELECT coalesce(sum(number), 0)::bigint AS total FROM inventory.counts WHERE collection = 'images'" : nil,
      decode: Self.image)
  }

  func get(_ id: ImageID, _ caller: Caller) async throws -> Image? {
    try await pool.withConnection { try Self.get(id, caller, with: $0) }
  }

  private static func get(
    _ id: ImageID, _ caller: Caller, with connection: isolated PostgresConnection
  ) throws -> Image? {
    try connection.execute(
      """
      SELECT \(columns) FROM \(source)
      WHERE i.id = \(id.uuid) AND i.deleted_at IS NULL AND \(Permissions.condition(.see, caller, on: "i.id"))
      """
    ).first(image)
  }

  /// Writes the image, its owner's permission and, where there is a URL, the import, in one transaction.
  func insert(_ record: ImageRecord, _ request: NewImage, _ origin: RequestOrigin) async throws -> Accepted<Image> {
    let caller = origin.caller
    return try await pool.transaction { connection in
      try Idempotency.inventory.once(origin, "POST images", request, with: connection) { connection in
        let warnings = try QuotaStore.take([.images: 1], origin, with: connection)
        let id = ImageID.make()
        _ = try connection.execute(
          """
          INSERT INTO inventory.images (id, owner, name, description, url, expected_sha256, checksums, arch, state)
          VALUES (\(id.uuid), \(caller.user.uuid), \(record.name), \(record.desc), \(record.url), \(record.sha256),
            \(record.checksums), \(record.arch), 'importing')
          """)
        _ = try connection.execute(Permissions.grant(.owner, on: .image(id), to: caller.user))
        let operation = try record.url.map { _ in
          try OperationStore.insert(.imageImport, on: UUIDText(id.uuid), origin, with: connection)
        }
        return Accepted(
          resource: try Self.present(id, caller, with: connection), operation: operation, warnings: warnings)
      }
    }
  }

  /// An image that must be there.
  static func present(
    _ id: ImageID, _ caller: Caller, with connection: isolated PostgresConnection
  ) throws -> Image {
    guard let image = try get(id, caller, with: connection) else { throw ServiceError.notFound(.image) }
    return image
  }

  /// - Throws: `not_found`, `forbidden`.
  func update(_ id: ImageID, _ update: ImageUpdate, _ caller: Caller) async throws -> Image {
    try await pool.transaction { connection in
      try Permissions.require(.own, on: .image(id), caller, with: connection)
      _ = try connection.execute(
        """
        UPDATE inventory.images SET name = coalesce(\(update.name), name),
          description = coalesce(\(update.desc), description) WHERE id = \(id.uuid)
        """)
      guard let image = try Self.get(id, caller, with: connection) else { throw ServiceError.notFound(.image) }
      return image
    }
  }

  /// Takes an image out of the catalogue and ends its import; the file goes later, when no VM needs it.
  /// - Throws: `not_found`, `forbidden`.
  func delete(_ id: ImageID, _ caller: Caller) async throws {
    try await pool.transaction { connection in
      try Permissions.require(.own, on: .image(id), caller, with: connection)
      try Self.delete(id, with: connection)
    }
  }

  static func delete(_ id: ImageID, with connection: isolated PostgresConnection) throws {
    _ = try connection.execute("UPDATE inventory.images SET deleted_at = now() WHERE id = \(id.uuid)")
    try OperationStore.cancel(on: UUIDText(id.uuid), with: connection)
    _ = try connection.execute("DELETE FROM inventory.permissions WHERE resource = \(id.uuid)")
  }

  /// Begins to receive an image's content; the operation belongs to this process as long as it renews it.
  /// - Throws: `not_found`, `forbidden`; `invalid_state` for an image that has its content or is imported from a URL.
  func beginUpload(_ id: ImageID, _ origin: RequestOrigin) async throws -> Claim {
    try await pool.transaction { connection in
      try Permissions.require(.own, on: .image(id), origin.caller, with: connection)
      let waiting = try connection.execute(
        """
        UPDATE inventory.images SET state = 'importing', error_code = NULL, error_message = NULL, staged = NULL
        WHERE id = \(id.uuid) AND url IS NULL AND source_vm IS NULL AND state <> 'available'
        """
      ).affected
      guard waiting == 1 else {
        throw ServiceError(
          .invalidState, "The image has its content already, or is imported from elsewhere; add another image.")
      }
      return try OperationStore.insertClaimed(
        .imageUpload, on: UUIDText(id.uuid), origin, leaseSeconds: leaseSeconds, with: connection)
    }
  }

  /// Notes that the whole content is staged, and leaves the rest to whoever is free.
  /// - Throws: `ClaimLost`.
  func endUpload(_ claim: Claim, _ caller: Caller) async throws -> Accepted<Image> {
    try await pool.transaction { connection in
      let operation = try OperationStore.handOver(claim, step: "received", with: connection)
      let id = ImageID(claim.resource.uuid)
      _ = try connection.execute("UPDATE inventory.images SET staged = \(claim.epoch) WHERE id = \(id.uuid)")
      guard let image = try Self.get(id, caller, with: connection) else { throw ServiceError.notFound(.image) }
      return Accepted(resource: image, operation: operation)
    }
  }
}
