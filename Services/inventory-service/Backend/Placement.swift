import Models
import Postgres

/// Chooses the host of a new VM and reserves its room there, in the transaction that creates the VM.
enum Placement {
  /// The host with the most free memory among those that have room for everything.
  /// - Throws: `no_capacity`.
  static func reserve(
    mem: Int, vcpus: Int, disk: Int, with connection: isolated PostgresConnection
  ) throws -> HostID {
    // The row that was best may be taken by another transaction between choosing and locking; then choose again.
    for _ in 0..<8 {
      guard let best = try candidate(mem: mem, vcpus: vcpus, disk: disk, with: connection) else { break }
      let reserved = try connection.execute(
        """
        UPDATE inventory.hosts SET cpus_allocated = cpus_allocated + \(vcpus), mem_allocated = mem_allocated + \(mem),
          disk_allocated = disk_allocated + \(disk)
        WHERE id = \(best.uuid) AND \(room(mem: mem, vcpus: vcpus, disk: disk))
        """
      ).affected
      if reserved == 1 { return best }
    }
    throw ServiceError(
      .noCapacity,
      "No host has room for \(mem) MiB of memory, \(vcpus) vCPUs and \(disk) GiB of disk, or no host is up.")
  }

  /// Gives back what a VM had.
  static func release(_ vm: VMID, with connection: isolated PostgresConnection) throws {
    _ = try connection.execute(
      """
      UPDATE inventory.hosts h SET cpus_allocated = h.cpus_allocated - v.vcpus,
        mem_allocated = h.mem_allocated - v.mem, disk_allocated = h.disk_allocated - v.disk
      FROM inventory.vms v WHERE v.id = \(vm.uuid) AND h.id = v.host
      """)
  }

  private static func candidate(
    mem: Int, vcpus: Int, disk: Int, with connection: isolated PostgresConnection
  ) throws -> HostID? {
    try connection.execute(
      """
      SELECT id FROM inventory.hosts WHERE \(room(mem: mem, vcpus: vcpus, disk: disk))
      ORDER BY mem - mem_allocated DESC, id LIMIT 1
      """
    ).first { HostID(try $0("id")) }
  }

  private static func room(mem: Int, vcpus: Int, disk: Int) -> SQL {
    """
    state = 'up' AND cpus_allocated + \(vcpus) <= cpus * \(HostStore.cpuOvercommit) AND mem_allocated + \(mem) <= mem
      AND disk_allocated + \(disk) <= disk
    """
  }
}
