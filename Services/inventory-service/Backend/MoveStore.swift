import Foundation
import Models
import Postgres

/// The SQL by which a VM changes its host.
enum MoveStore {
  /// Makes the new host the VM's own and ends the operation. What lies on the old host is to be removed there.
  static func finish(_ claim: Claim, _ report: VMReport, with connection: isolated PostgresConnection) throws {
    try OperationStore.complete(claim, error: nil, with: connection)
    let id = VMID(claim.resource.uuid)
    let (host, room) = try VMStore.place(of: id, with: connection)
    _ = try connection.execute(
      """
      UPDATE inventory.vms SET host = moving_to, moving_to = NULL, generation = generation + 1,
        seen = \(JSONText.encode(report))::jsonb, observed_at = now(), stale = true
      WHERE id = \(id.uuid) AND moving_to IS NOT NULL
      """)
    try Placement.release(room, of: host, with: connection)
    try bury(id, on: host, with: connection)
  }

  /// Gives up a move that may have begun; the VM stays where it is.
  static func abandon(_ id: VMID, with connection: isolated PostgresConnection) throws {
    let target = try connection.execute(
      """
      UPDATE inventory.vms v SET moving_to = NULL, generation = v.generation + 1 FROM inventory.vms old
      WHERE v.id = \(id.uuid) AND old.id = v.id AND old.moving_to IS NOT NULL RETURNING old.moving_to AS target
      """
    ).first { HostID(try $0("target")) }
    guard let target else { return }
    try Placement.release(try VMStore.place(of: id, with: connection).room, of: target, with: connection)
    try bury(id, on: target, with: connection)
  }

  /// Notes that whatever the host has of the VM is to be removed there.
  static func bury(_ id: VMID, on host: HostID, with connection: isolated PostgresConnection) throws {
    _ = try connection.execute(
      """
      INSERT INTO inventory.tombstones (host, vm, generation)
      SELECT \(host.uuid), id, generation FROM inventory.vms WHERE id = \(id.uuid)
      ON CONFLICT (host, vm) DO UPDATE SET generation = excluded.generation, created_at = now()
      """)
  }
}
