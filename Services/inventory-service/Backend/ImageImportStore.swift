import Foundation
import Models
import Postgres

/// What an import works on.
struct ImportJob: Sendable {
  let id: ImageID
  /// Nil for an upload.
  let url: String?
  let expectedSHA256: String?
  let checksums: String?
  /// The epoch of the claim under which an upload was received whole.
  let staged: Int64?
  /// Of a VM that is saved: where it is, and the operation that copies its disk.
  let capture: CaptureSource?
}

/// Where the copy of a VM's disk lies.
struct CaptureSource: Sendable {
  let vm: VMID
  let host: HostID
  let operation: OperationID
}

/// What became of an import.
struct ImportedFile: Sendable {
  let size: Int64
  let virtualSize: Int64
  let sha256: String
}

/// The SQL by which imports are carried out and files are kept in step with rows.
struct ImageImportStore: Sendable {
  let pool: PostgresPool

  func job(_ id: ImageID) async throws -> ImportJob? {
    try await pool.first(
      """
      SELECT url, expected_sha256, checksums, staged, source_vm, source_host, capture FROM inventory.images
      WHERE id = \(id.uuid) AND deleted_at IS NULL
      """
    ) { row in
      ImportJob(
        id: id, url: try row.optional("url"), expectedSHA256: try row.optional("expected_sha256"),
        checksums: try row.optional("checksums"), staged: try row.optional("staged"),
        capture: try row.optional("capture", as: UUID.self).map { capture in
          CaptureSource(
            vm: VMID(try row("source_vm")), host: HostID(try row("source_host")), operation: OperationID(capture))
        })
    }
  }

  /// Makes an imported image available and ends the operation, together or not at all.
  /// - Parameter place: Gives the file its name, and is told which image has the same content already. It runs between the
  ///   check of the claim and the commit: a worker that lost its lease never touches its successor's file, and
  ///   `available` always has its file.
  func publish(_ file: ImportedFile, of claim: Claim, place: @Sendable (_ twin: ImageID?) throws -> Void) async throws {
    try await pool.transaction { connection in
      try OperationStore.complete(claim, error: nil, with: connection)
      try QuotaStore.charge(file.size, for: ImageID(claim.resource.uuid), with: connection)
      // Of two equal images that are published at the same time, the second finds the first.
      _ = try connection.execute("SELECT pg_advisory_xact_lock(hashtextextended(\(file.sha256), 0))")
      let twin = try connection.execute(
        """
        SELECT id FROM inventory.images WHERE sha256 = \(file.sha256) AND size = \(file.size) AND state = 'available'
          AND id <> \(claim.resource.uuid) ORDER BY deleted_at NULLS FIRST LIMIT 1
        """
      ).first { ImageID(try $0("id", as: UUID.self)) }
      try place(twin)
      _ = try connection.execute(
        """
        UPDATE inventory.images SET state = 'available', size = \(file.size), virtual_size = \(file.virtualSize),
          sha256 = \(file.sha256), error_code = NULL, error_message = NULL, staged = NULL
        WHERE id = \(claim.resource.uuid)
        """)
    }
  }

  /// Counts what has come, or is sure to come, for the image's owner.
  /// - Throws: `quota_exceeded`; `ClaimLost`.
  func charge(_ bytes: Int64, _ claim: Claim) async throws {
    try await pool.transaction { connection in
      try QuotaStore.charge(bytes, for: ImageID(claim.resource.uuid), with: connection)
      let isOurs = try connection.execute(
        "SELECT FROM inventory.operations WHERE id = \(claim.id.uuid) AND epoch = \(claim.epoch) AND status = 'running'"
      ).count
      guard isOurs == 1 else { throw ClaimLost() }
    }
  }

  func fail(_ claim: Claim, with error: ServiceError) async throws {
    try await pool.transaction { connection in
      try OperationStore.complete(claim, error: error, with: connection)
      _ = try connection.execute(
        """
        UPDATE inventory.images SET state = 'error', error_code = \(error.code.rawValue),
          error_message = \(error.message), staged = NULL, charged = 0
        WHERE id = \(claim.resource.uuid)
        """)
    }
  }

  /// Ends an upload of which nothing is kept; the image goes on waiting for its content.
  func abandonUpload(_ claim: Claim, with error: ServiceError) async throws {
    try await pool.transaction { connection in
      try OperationStore.complete(claim, error: error, with: connection)
      _ = try connection.execute("UPDATE inventory.images SET charged = 0 WHERE id = \(claim.resource.uuid)")
    }
  }

  /// Removed images that no VM needs any more.
  func disposable() async throws -> [ImageID] {
    try await pool.rows(
      """
      SELECT id FROM inventory.images i WHERE deleted_at IS NOT NULL
        AND NOT EXISTS (SELECT FROM inventory.vms v WHERE v.image = i.id)
      """
    ) { ImageID(try $0("id", as: UUID.self)) }
  }

  func forget(_ id: ImageID) async throws {
    try await pool.execute("DELETE FROM inventory.images WHERE id = \(id.uuid) AND deleted_at IS NOT NULL")
  }

  /// Which of the ids have a row.
  func known(_ ids: [ImageID]) async throws -> Set<ImageID> {
    Set(
      try await pool.rows("SELECT id FROM inventory.images WHERE id = ANY (\(ids.map(\.uuid))::uuid[])") {
        ImageID(try $0("id", as: UUID.self))
      })
  }

  /// The staged files that somebody works with: those of the claims that stand, and of uploads that were received whole.
  func staged(of ids: [ImageID]) async throws -> Set<StagedName> {
    Set(
      try await pool.rows(
        """
        SELECT o.resource, epochs.epoch FROM inventory.operations o JOIN inventory.images i ON i.id = o.resource,
          LATERAL (VALUES (o.epoch), (i.staged)) AS epochs (epoch)
        WHERE o.resource = ANY (\(ids.map(\.uuid))::uuid[]) AND o.status IN ('pending', 'running')
          AND epochs.epoch IS NOT NULL
        """
      ) { StagedName(image: ImageID(try $0("resource", as: UUID.self)), epoch: try $0("epoch")) })
  }

  /// Gives up on images whose content never came.
  func expireUploads() async throws {
    let error = ServiceError(.timeout, "Its content was not uploaded within a day.")
    try await pool.execute(
      """
      UPDATE inventory.images i SET state = 'error', error_code = \(error.code.rawValue),
        error_message = \(error.message)
      WHERE state = 'importing' AND url IS NULL AND deleted_at IS NULL AND created_at < now() - interval '1 day'
        AND NOT EXISTS (SELECT FROM inventory.operations o WHERE o.resource = i.id
          AND o.status IN ('pending', 'running'))
      """)
  }

  /// The image of a file, also of one that only VMs still need.
  func isStored(_ id: ImageID) async throws -> Bool {
    try await pool.first(
      "SELECT state = 'available' AS stored FROM inventory.images WHERE id = \(id.uuid)"
    ) { try $0("stored") } ?? false
  }
}
