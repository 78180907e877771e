import Foundation
import Models
import Postgres

/// What an import works on.
struct ImportJob: Sendable {
  let id: ImageID
  let url: String
  let expectedSHA256: String?
}

/// What became of an import.
struct ImportedFile: Sendable {
  let size: Int64
  let virtualSize: Int64
  let sha256: String
}

/// The SQL of images.
struct ImageStore: Sendable {
  let pool: PostgresPool

  private static let columns: SQL = """
    i.id, i.owner, i.name, i.description, i.url, i.state, i.error_code, i.error_message, i.size, i.virtual_size,
    i.sha256, i.created_at
    """

  private static func image(_ row: PostgresRow) throws -> Image {
    let code: String? = try row.optional("error_code")
    let message: String? = try row.optional("error_message")
    let state: ImageState = try row.wire("state")
    return Image(
      id: ImageID(try row("id")), name: try row("name"), desc: try row("description"), url: try row("url"),
      state: state, error: code.map { Failure(code: $0, message: message ?? "") },
      format: state == .available ? "qcow2" : nil, size: try row.optional("size"),
      virtualSize: try row.optional("virtual_size"), sha256: try row.optional("sha256"),
      owner: UserID(try row("owner")), createdAt: try row("created_at"))
  }

  func list(_ caller: Caller) async throws -> [Image] {
    try await pool.rows(
      """
      SELECT \(Self.columns) FROM inventory.images i
      WHERE i.deleted_at IS NULL AND \(Permissions.condition(.see, caller, on: "i.id")) ORDER BY i.created_at, i.id
      """, Self.image)
  }

  func get(_ id: ImageID, _ caller: Caller) async throws -> Image? {
    try await pool.first(
      """
      SELECT \(Self.columns) FROM inventory.images i
      WHERE i.id = \(id.uuid) AND i.deleted_at IS NULL AND \(Permissions.condition(.see, caller, on: "i.id"))
      """, Self.image)
  }

  /// Writes the image, its owner's permission and the import in one transaction.
  func insert(_ request: NewImage, _ caller: Caller, requestID: String) async throws -> Accepted<Image> {
    try await pool.transaction { connection in
      let image = try connection.execute(
        """
        INSERT INTO inventory.images AS i (id, owner, name, description, url, expected_sha256, state)
        VALUES (\(ImageID.make().uuid), \(caller.user.uuid), \(request.name), \(request.desc), \(request.url),
          \(request.sha256), 'importing')
        RETURNING \(Self.columns)
        """
      ).map(Self.image)[0]
      let resource = UUIDText(image.id.uuid)
      _ = try connection.execute(Permissions.grant(.owner, on: resource, type: .image, to: caller.user))
      let operation = try OperationStore.insert(
        .imageImport, on: resource, owner: caller.user, requestID: requestID, deadlineSeconds: 6 * 3600,
        with: connection)
      return Accepted(resource: image, operation: operation)
    }
  }

  /// Takes an image out of the catalogue and ends its import; the file goes later, when no VM needs it.
  func delete(_ id: ImageID, _ caller: Caller) async throws {
    try await pool.transaction { connection in
      let removed = try connection.execute(
        """
        UPDATE inventory.images i SET deleted_at = now()
        WHERE i.id = \(id.uuid) AND i.deleted_at IS NULL AND \(Permissions.condition(.own, caller, on: "i.id"))
        """
      ).affected
      guard removed == 1 else { return try Self.refuse(.own, on: id, caller, with: connection) }
      let resource = UUIDText(id.uuid)
      try OperationStore.cancel(on: resource, with: connection)
      _ = try connection.execute("DELETE FROM inventory.permissions WHERE resource = \(id.uuid)")
    }
  }

  private static func refuse(
    _ access: Access, on id: ImageID, _ caller: Caller, with connection: isolated PostgresConnection
  ) throws {
    let visible = try connection.execute(
      """
      SELECT FROM inventory.images i WHERE i.id = \(id.uuid) AND i.deleted_at IS NULL
        AND \(Permissions.condition(.see, caller, on: "i.id"))
      """
    ).count
    throw visible == 0 ? ServiceError.notFound(.image) : Permissions.missing(access, on: .image)
  }

  func job(_ id: ImageID) async throws -> ImportJob? {
    try await pool.first(
      "SELECT url, expected_sha256 FROM inventory.images WHERE id = \(id.uuid) AND deleted_at IS NULL"
    ) { row in ImportJob(id: id, url: try row("url"), expectedSHA256: try row.optional("expected_sha256")) }
  }

  /// Makes an imported image available and ends the operation, together or not at all.
  /// - Parameter place: Gives the file its name. It runs between the check of the claim and the commit: a worker that
  ///   lost its lease never touches its successor's file, and `available` always has its file.
  func publish(_ file: ImportedFile, of claim: Claim, place: @Sendable () throws -> Void) async throws {
    try await pool.transaction { connection in
      try OperationStore.complete(claim, error: nil, with: connection)
      try place()
      _ = try connection.execute(
        """
        UPDATE inventory.images SET state = 'available', size = \(file.size), virtual_size = \(file.virtualSize),
          sha256 = \(file.sha256), error_code = NULL, error_message = NULL
        WHERE id = \(claim.resource.uuid)
        """)
    }
  }

  func fail(_ claim: Claim, with error: ServiceError) async throws {
    try await pool.transaction { connection in
      try OperationStore.complete(claim, error: error, with: connection)
      _ = try connection.execute(
        """
        UPDATE inventory.images SET state = 'error', error_code = \(error.code.rawValue),
          error_message = \(error.message)
        WHERE id = \(claim.resource.uuid)
        """)
    }
  }

  /// Removed images that no VM needs any more.
  func disposable() async throws -> [ImageID] {
    try await pool.rows(
      """
      SELECT id FROM inventory.images i WHERE deleted_at IS NOT NULL
        AND NOT EXISTS (SELECT FROM inventory.vms v WHERE v.image = i.id)
      """
    ) { ImageID(try $0("id")) }
  }

  func forget(_ id: ImageID) async throws {
    try await pool.execute("DELETE FROM inventory.images WHERE id = \(id.uuid) AND deleted_at IS NOT NULL")
  }

  /// Which of the ids have a row.
  func known(_ ids: [ImageID]) async throws -> Set<ImageID> {
    Set(
      try await pool.rows("SELECT id FROM inventory.images WHERE id = ANY (\(ids.map(\.uuid))::uuid[])") {
        ImageID(try $0("id"))
      })
  }
}
