import Foundation
import Models
import Postgres

/// The SQL by which the control loop reads what was asked for and writes what became of it.
struct VMIntentStore: Sendable {
  let pool: PostgresPool

  /// What was asked for, with what the agent needs to know; nil when the VM is gone.
  func intent(_ id: VMID) async throws -> VMIntent? {
    try await pool.first(
      """
      SELECT v.owner, v.generation, v.name, v.mem, v.vcpus, v.disk, v.image, v.host, v.ssh_keys, v.desired,
        coalesce(i.sha256, '') AS sha256, coalesce(i.size, 0) AS size
      FROM inventory.vms v JOIN inventory.images i ON i.id = v.image WHERE v.id = \(id.uuid)
      """
    ) { row in
      let keys: String = try row("ssh_keys")
      let desired: String = try row("desired")
      return VMIntent(
        spec: VMSpec(
          id: id, owner: UserID(try row("owner")), generation: try row("generation"), name: try row("name"),
          mem: try row("mem"), vcpus: try row("vcpus"), disk: try row("disk"), image: ImageID(try row("image")),
          imageSHA256: try row("sha256"), imageSize: try row("size"), imageURL: "",
          sshKeys: try JSONDecoder().decode([String].self, from: Data(keys.utf8)),
          power: desired == "running" ? .running : .stopped),
        host: HostID(try row("host")), isDeleted: desired == "deleted")
    }
  }

  /// Writes what the agent saw and ends the operation, together or not at all.
  func settle(_ claim: Claim, _ report: VMReport) async throws {
    let state: VMState =
      switch report.power {
      case .running: .running
      case .paused: .paused
      case .stopped: .stopped
      case .crashed: .error
      }
    let addresses = String(decoding: try JSONEncoder().encode(report.addresses), as: UTF8.self)
    try await pool.transaction { connection in
      try OperationStore.complete(claim, error: nil, with: connection)
      _ = try connection.execute(
        """
        UPDATE inventory.vms SET state = \(state.rawValue), reason = NULL, addresses = \(addresses),
          observed_generation = \(report.generation), observed_at = now(),
          started_at = CASE WHEN \(state == .running) THEN coalesce(started_at, now()) END
        WHERE id = \(report.id.uuid)
        """)
    }
  }

  /// Ends the operation as failed. The VM keeps its room and its row, so that its owner can look, retry or remove it.
  func fail(_ claim: Claim, with error: ServiceError) async throws {
    try await pool.transaction { connection in
      try OperationStore.complete(claim, error: error, with: connection)
      _ = try connection.execute(
        """
        UPDATE inventory.vms SET state = 'error', reason = \(error.message), observed_at = now(),
          desired = CASE desired WHEN 'running' THEN 'stopped' ELSE desired END
        WHERE id = \(claim.resource.uuid)
        """)
    }
  }

  /// Ends a removal: room, permissions and row go with the operation, together or not at all.
  func forget(_ id: VMID, _ claim: Claim) async throws {
    try await pool.transaction { connection in
      try OperationStore.complete(claim, error: nil, with: connection)
      try Placement.release(id, with: connection)
      _ = try connection.execute("DELETE FROM inventory.permissions WHERE resource = \(id.uuid)")
      _ = try connection.execute("DELETE FROM inventory.vms WHERE id = \(id.uuid)")
    }
  }
}
