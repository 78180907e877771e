import Foundation
import Models
import Persistence
import Postgres
import Query

/// A VM as the control loop sees it.
struct VMIntent: Sendable {
  let spec: VMSpec
  let host: HostID
  let isDeleted: Bool
}

/// The SQL of VMs, as people see and change them.
struct VMStore: Sendable {
  let pool: PostgresPool

  private static let columns: SQL = """
    v.id, v.owner, v.name, v.image, v.host, v.mem, v.vcpus, v.disk, v.state, v.reason, v.addresses, v.created_at,
    v.started_at
    """

  static func vm(_ row: PostgresRow) throws -> VM {
    let addresses: String = try row("addresses")
    return VM(
      id: VMID(try row("id")), name: try row("name"), image: ImageID(try row("image")),
      host: HostID(try row("host", as: UUID.self)),
      mem: try row("mem"), vcpus: try row("vcpus"), disk: try row("disk"), state: try row.wire("state"),
      reason: try row.optional("reason"),
      addresses: try JSONDecoder().decode([VMAddress].self, from: Data(addresses.utf8)),
      owner: UserID(try row("owner")), createdAt: try row("created_at"), startedAt: try row.optional("started_at"))
  }

  /// The VMs that the caller may see.
  func listing(_ caller: Caller) -> Listing<VM> {
    Listing(
      pool: pool, columns: Self.columns, source: "inventory.vms v", id: "v.id",
      visible: Permissions.condition(.see, caller, on: "v.id"),
      fields: QuerySchema([
        QueryField("id", .identifier, "v.id"), QueryField("name", .text, "v.name"),
        QueryField("image", .identifier, "v.image"), QueryField("host", .identifier, "v.host"),
        QueryField("mem", .number, "v.mem"), QueryField("vcpus", .number, "v.vcpus"),
        QueryField("disk", .number, "v.disk"), QueryField("state", .text, "v.state"),
        QueryField("reason", .text, "v.reason"), QueryField("owner", .identifier, "v.owner"),
        QueryField("createdAt", .time, "v.created_at"), QueryField("startedAt", .time, "v.started_at"),
      ]),
      sortKeys: [SortKey("createdAt", "v.created_at", as: "timestamptz"), SortKey("name", "v.name", as: "text")],
      count: caller.admin
        ? "SELECT coalesce(sum(number), 0)::bigint AS total FROM inventory.counts WHERE collection = 'vms'" : nil,
      decode: Self.vm)
  }

  func get(_ id: VMID, _ caller: Caller) async throws -> VM? {
    try await pool.first(
      """
      SELECT \(Self.columns) FROM inventory.vms v
      WHERE v.id = \(id.uuid) AND \(Permissions.condition(.see, caller, on: "v.id"))
      """, Self.vm)
  }

  /// The VM, locked, if the caller may act so.
  /// - Throws: `not_found`, `forbidden`.
  private static func get(
    _ id: VMID, _ access: Access, _ caller: Caller, with connection: isolated PostgresConnection
  ) throws -> VM {
    try Permissions.require(access, on: .vm(id), caller, with: connection)
    let found = try connection.execute("SELECT \(columns) FROM inventory.vms v WHERE v.id = \(id.uuid)").first(vm)
    guard let found else { throw ServiceError.notFound(.vm) }
    return found
  }

  /// Writes the intent: the reservation on the host that placement chose, the VM, its owner's permission and the
  /// operation, in one transaction.
  /// - Throws: `not_found` or `forbidden` for an image that the caller may not use, `invalid_state` for one that is not available,
  ///   `no_capacity`.
  func insert(_ request: NewVM, _ defaults: VMDefaults, _ caller: Caller, requestID: String) async throws
    -> Accepted<VM>
  {
    try await pool.transaction { connection in
      let imageDisk = try Self.imageDisk(request.image, caller, with: connection)
      let disk = request.disk ?? max(imageDisk, 1)
      guard disk >= imageDisk else {
        throw ServiceError.invalid("disk", "must be at least the image's \(imageDisk) GiB.")
      }
      let mem = request.mem ?? defaults.mem
      let vcpus = request.vcpus ?? defaults.vcpus
      let host = try Placement.reserve(mem: mem, vcpus: vcpus, disk: disk, with: connection)
      let id = VMID.make()
      let keys = String(decoding: try JSONEncoder().encode(request.sshKeys), as: UTF8.self)
      let vm = try connection.execute(
        """
        INSERT INTO inventory.vms AS v (id, owner, name, image, host, mem, vcpus, disk, ssh_keys, desired, state)
        VALUES (\(id.uuid), \(caller.user.uuid), \(request.name ?? "vm-\(id.description.suffix(8))"),
          \(request.image.uuid), \(host.uuid), \(mem), \(vcpus), \(disk), \(keys),
          \(request.start ? "running" : "stopped"), 'creating')
        RETURNING \(Self.columns)
        """
      ).map(Self.vm)[0]
      _ = try connection.execute(Permissions.grant(.owner, on: .vm(id), to: caller.user))
      let operation = try OperationStore.insert(
        .vmCreate, on: UUIDText(id.uuid), owner: caller.user, requestID: requestID, deadlineSeconds: 1800,
        with: connection)
      return Accepted(resource: vm, operation: operation)
    }
  }

  /// The image's disk in GiB, rounded up. The row is locked, so that it is not removed meanwhile.
  private static func imageDisk(
    _ id: ImageID, _ caller: Caller, with connection: isolated PostgresConnection
  ) throws -> Int {
    try Permissions.require(.use, on: .image(id), caller, lock: "FOR SHARE", with: connection)
    let found = try connection.execute(
      "SELECT state, coalesce(virtual_size, 0) AS virtual_size FROM inventory.images WHERE id = \(id.uuid)"
    ).first { row in (state: try row("state", as: String.self), size: try row("virtual_size", as: Int64.self)) }
    guard let found else { throw ServiceError.notFound(.image) }
    guard found.state == ImageState.available.rawValue else {
      throw ServiceError(.invalidState, "The image is not available: its state is \(found.state).")
    }
    return Int((found.size + (1 << 30) - 1) >> 30)
  }

  /// Writes that a VM should run or stop, and the operation that will see to it. What is so already needs nothing.
  func setPower(_ power: DesiredPower, of id: VMID, _ caller: Caller, requestID: String) async throws -> Accepted<VM> {
    let starts = power == .running
    return try await pool.transaction { connection in
      let vm = try Self.get(id, .use, caller, with: connection)
      let changed = try connection.execute(
        """
        UPDATE inventory.vms v SET desired = \(starts ? "running" : "stopped"), generation = generation + 1,
          state = \(starts ? "starting" : "stopping"), reason = NULL
        WHERE v.id = \(id.uuid) AND v.desired <> 'deleted'
          AND v.state = ANY (\(starts ? ["stopped", "error"] : ["running", "paused", "error"]))
        RETURNING \(Self.columns)
        """
      ).first(Self.vm)
      guard let changed else { return try Self.unchanged(vm, power, with: connection) }
      let operation = try OperationStore.insert(
        starts ? .vmStart : .vmStop, on: UUIDText(id.uuid), owner: caller.user, requestID: requestID,
        deadlineSeconds: 180, with: connection)
      return Accepted(resource: changed, operation: operation)
    }
  }

  /// The answer when the state did not allow the change: nothing to do, already under way, or a conflict.
  private static func unchanged(
    _ vm: VM, _ power: DesiredPower, with connection: isolated PostgresConnection
  ) throws -> Accepted<VM> {
    let (settled, underWay, kind): (VMState, VMState, OperationKind) =
      power == .running ? (.running, .starting, .vmStart) : (.stopped, .stopping, .vmStop)
    if vm.state == settled { return Accepted(resource: vm, operation: nil) }
    if vm.state == underWay, let active = try OperationStore.active(on: UUIDText(vm.id.uuid), with: connection),
      active.kind == kind
    {
      return Accepted(resource: vm, operation: active)
    }
    throw ServiceError(
      .invalidState, "The VM is \(vm.state.rawValue); it cannot be \(power == .running ? "started" : "stopped") now.")
  }

  /// Writes that a VM should be gone, from whatever state; what was under way ends.
  func delete(_ id: VMID, _ caller: Caller, requestID: String) async throws -> Accepted<VM> {
    try await pool.transaction { connection in
      try Permissions.require(.own, on: .vm(id), caller, with: connection)
      return try Self.delete(id, for: caller, requestID: requestID, with: connection)
    }
  }

  static func delete(
    _ id: VMID, for caller: Caller, requestID: String, with connection: isolated PostgresConnection
  ) throws -> Accepted<VM> {
    let resource = UUIDText(id.uuid)
    if let active = try OperationStore.active(on: resource, with: connection), active.kind == .vmDelete,
      let vm = try connection.execute("SELECT \(columns) FROM inventory.vms v WHERE v.id = \(id.uuid)").first(vm)
    {
      return Accepted(resource: vm, operation: active)
    }
    let vm = try connection.execute(
      """
      UPDATE inventory.vms v SET desired = 'deleted', generation = generation + 1, state = 'deleting', reason = NULL
      WHERE v.id = \(id.uuid) RETURNING \(columns)
      """
    ).first(vm)
    guard let vm else { throw ServiceError.notFound(.vm) }
    try OperationStore.cancel(on: resource, with: connection)
    let operation = try OperationStore.insert(
      .vmDelete, on: resource, owner: caller.user, requestID: requestID, deadlineSeconds: 600, with: connection)
    return Accepted(resource: vm, operation: operation)
  }
}

/// What a VM gets where the request does not say.
struct VMDefaults: Sendable {
  /// MiB.
  var mem: Int
  var vcpus: Int
}
