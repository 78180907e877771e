import Foundation
import Models
import Postgres
import ServiceKit

/// A VM as the control loop sees it.
struct VMIntent: Sendable {
  /// Without the image's URL.
  let spec: VMSpec
  let generation: Int64
  let host: HostID
  let movingTo: HostID?
  let desired: DesiredState
}

/// The SQL by which the control loop reads what was asked for and writes what became of it.
struct VMIntentStore: Sendable {
  let pool: PostgresPool

  /// What was asked for, with what the agent needs to know; nil when the VM is gone.
  func intent(_ id: VMID) async throws -> VMIntent? {
    try await pool.first(
      """
      SELECT v.owner, v.generation, v.name, v.mem, v.vcpus, v.disk, v.disk_number, v.boot, v.image, v.host, v.moving_to,
        v.ssh_keys, v.user_data, v.caps::text AS caps, v.desired, coalesce(i.sha256, '') AS sha256, coalesce(i.size, 0) AS size
      FROM inventory.vms v JOIN inventory.images i ON i.id = v.image WHERE v.id = \(id.uuid)
      """
    ) { row in
      let desired: DesiredState = try row.wire("desired")
      return VMIntent(
        spec: VMSpec(
          id: id, owner: UserID(try row("owner")), name: try row("name"), mem: try row("mem"),
          vcpus: try row("vcpus"), disk: try row("disk"), diskNumber: try row("disk_number"),
          image: ImageReference(
            id: ImageID(try row("image")), sha256: try row("sha256"), size: try row("size"), url: ""),
          sshKeys: try row.json("ssh_keys"), userData: try row.optional("user_data"), power: desired.power,
          boot: try row("boot"), caps: try row.optionalJSON("caps")),
        generation: try row("generation"), host: HostID(try row("host")),
        movingTo: try row.optional("moving_to", as: UUID.self).map { HostID($0) }, desired: desired)
    }
  }

  /// Writes what the agent saw and ends the operation, together or not at all.
  func settle(_ claim: Claim, _ report: VMReport) async throws {
    try await pool.transaction { connection in
      try OperationStore.complete(claim, error: nil, with: connection)
      let life = try VMTransitions.life(of: report.id, with: connection)
      try VMTransitions.write(
        VMStateMachine.next(life, .settled(report.power)), to: report.id,
        setting: try ReportStore.assignments(report, after: try ReportStore.known(report.id, with: connection)),
        with: connection)
    }
  }

  /// Ends the operation as failed. The VM keeps its room and its row, so that its owner can look, retry or remove it.
  func fail(_ claim: Claim, with error: ServiceError) async throws {
    let id = VMID(claim.resource.uuid)
    try await pool.transaction { connection in
      try OperationStore.complete(claim, error: error, with: connection)
      if claim.kind == .vmMove { try MoveStore.abandon(id, with: connection) }
      let life = try VMTransitions.life(of: id, with: connection)
      guard case .to(let next, _, _, _) = VMStateMachine.next(life, .failed(claim.kind)) else { return }
      try VMTransitions.write(
        .to(next, reason: .text(error.message)), to: id, setting: ", stale = true, observed_at = now()",
        with: connection)
      // A guest that was stopped for the copy goes on.
      if claim.kind == .vmCapture, life.desired == .running {
        try VMTransitions.write(
          .to(VMLife(state: life.state, desired: .running), reason: .kept, work: .vmStart), to: id, with: connection)
        _ = try OperationStore.insert(
          .vmStart, on: claim.resource, owner: try VMStore.get(id, with: connection).owner,
          requestID: claim.requestID, with: connection)
      }
    }
  }

  /// Ends a removal: room, permissions and row go with the operation, together or not at all.
  func forget(_ id: VMID, _ claim: Claim) async throws {
    try await pool.transaction { connection in
      try OperationStore.complete(claim, error: nil, with: connection)
      try VMTransitions.forget(id, with: connection)
    }
  }

  /// Whether a copy of the VM's disk still has to be fetched from its host; if so, the removal has another while to end.
  func waitsForCopy(_ id: VMID, _ claim: Claim) async throws -> Bool {
    try await pool.execute(
      """
      UPDATE inventory.operations SET deadline_at = now() + \(claim.kind.deadlineSeconds) * interval '1 second'
      WHERE id = \(claim.id.uuid) AND epoch = \(claim.epoch) AND status = 'running'
        AND EXISTS (\(SnapshotStore.unfetched(of: id)))
      """) == 1
  }

  /// Ends a removal on a host that was given up and does not answer; what lies there is removed when it comes back.
  /// - Returns: Whether the host is such a one.
  func forgetIfLost(_ id: VMID, _ claim: Claim) async throws -> Bool {
    try await pool.transaction { connection in
      let host = try connection.execute(
        """
        SELECT h.id FROM inventory.hosts h JOIN inventory.vms v ON v.host = h.id
        WHERE v.id = \(id.uuid) AND h.wanted = 'dead' AND NOT h.reachable
        """
      ).first { HostID(try $0("id", as: UUID.self)) }
      guard let host else { return false }
      try OperationStore.complete(claim, error: nil, with: connection)
      try MoveStore.bury(id, on: host, with: connection)
      try VMTransitions.forget(id, with: connection)
      return true
    }
  }

  /// Ends a move: the VM is its new host's.
  func arrive(_ claim: Claim, _ report: VMReport) async throws {
    try await pool.transaction { try MoveStore.finish(claim, report, with: $0) }
  }

  /// The image that a copy of the VM's disk is made for; nil when nobody wants it any more.
  func imageCaptured(by claim: Claim) async throws -> ImageID? {
    try await pool.first(
      "SELECT id FROM inventory.images WHERE capture = \(claim.id.uuid) AND deleted_at IS NULL"
    ) { ImageID(try $0("id", as: UUID.self)) }
  }

  /// Forgets how far the guest has come: it is being stopped, and will be started by the same operation.
  func endRun(of id: VMID, _ claim: Claim) async throws {
    try await pool.execute(
      """
      UPDATE inventory.vms SET readiness = '[]', started_at = NULL, seen = NULL
      WHERE id = \(id.uuid) AND EXISTS (SELECT FROM inventory.operations
        WHERE id = \(claim.id.uuid) AND epoch = \(claim.epoch) AND status = 'running')
      """)
  }

  /// Notes in what condition the disk was copied, as soon as that is known.
  func note(_ consistency: Consistency, of image: ImageID) async throws {
    try await pool.execute(
      "UPDATE inventory.images SET consistency = \(consistency.rawValue) WHERE id = \(image.uuid)")
  }
}

extension DesiredState {
  /// As an agent is told.
  var power: DesiredPower {
    switch self {
    case .running: .running
    case .paused: .paused
    case .stopped, .deleted: .stopped
    }
  }
}
