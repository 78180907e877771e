import Foundation
import Models
import Persistence
import Postgres

/// The SQL of VMs that are saved as images: an operation on the VM copies its disk, and one on the image goes on with
/// the copy when the VM is free again.
struct SnapshotStore: Sendable {
  let pool: PostgresPool

  /// The images that are still being made of a VM's disk.
  static func unfetched(of vm: VMID) -> SQL {
    """
    SELECT name FROM inventory.images
    WHERE source_vm = \(vm.uuid) AND state = 'importing' AND deleted_at IS NULL
    """
  }

  /// Writes the image, its owner's permission and both operations, in one transaction.
  /// - Throws: `not_found`, `forbidden`, `invalid_state`.
  func insert(_ request: NewSnapshot, of vm: VMID, _ origin: RequestOrigin) async throws -> Accepted<Image> {
    let caller = origin.caller
    return try await pool.transaction { connection in
      try Idempotency.inventory.once(origin, "POST vms/\(vm)/snapshots", request, with: connection) { connection in
        try Permissions.require(.use, on: .vm(vm), caller, with: connection)
        let warnings = try QuotaStore.take([.images: 1], origin, with: connection)
        let accepted = try VMTransitions.ask(.snapshot, of: vm, origin, with: connection)
        guard let capture = accepted.operation else { throw OperationStore.busy }
        let id = ImageID.make()
        _ = try connection.execute(
          """
          INSERT INTO inventory.images (id, owner, name, description, arch, state, source_vm, source_host, capture)
          SELECT \(id.uuid), \(caller.user.uuid), \(request.name), \(request.desc), i.arch, 'importing', v.id, v.host,
            \(capture.id.uuid)
          FROM inventory.vms v JOIN inventory.images i ON i.id = v.image WHERE v.id = \(vm.uuid)
          """)
        _ = try connection.execute(Permissions.grant(.owner, on: .image(id), to: caller.user))
        let operation = try OperationStore.insert(.imageSnapshot, on: UUIDText(id.uuid), origin, with: connection)
        return Accepted(
          resource: try ImageStore.present(id, caller, with: connection), operation: operation, warnings: warnings)
      }
    }
  }
}
