import Foundation
import Models
import Persistence
import Postgres
import Query
import ServiceKit

/// The SQL of VMs, as people see and change them.
struct VMStore: Sendable {
  let pool: PostgresPool

  static let columns: SQL = """
    v.id, v.owner, v.name, v.image, v.host, v.mem, v.vcpus, v.disk, v.placement_group, v.state, v.reason, v.addresses,
    v.readiness::text AS readiness, v.host_keys::text AS host_keys, v.caps::text AS caps, v.busy_since, v.created_at,
    v.started_at
    """

  static func vm(_ row: PostgresRow) throws -> VM {
    let keys: [String] = try row.json("host_keys")
    return VM(
      id: VMID(try row("id")), name: try row("name"), image: ImageID(try row("image")),
      host: HostID(try row("host", as: UUID.self)), mem: try row("mem"), vcpus: try row("vcpus"),
      disk: try row("disk"), group: try row.optional("placement_group"), state: try row.wire("state"),
      reason: try row.optional("reason"), readiness: Readiness(steps: try row.json("readiness")),
      addresses: try row.json("addresses"), hostKeys: keys.isEmpty ? nil : keys, caps: try row.optionalJSON("caps"),
      busySince: try row.optional("busy_since"), owner: UserID(try row("owner")), createdAt: try row("created_at"),
      startedAt: try row.optional("started_at"))
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
        QueryField("disk", .number, "v.disk"), QueryField("group", .text, "v.placement_group"),
        QueryField("state", .text, "v.state"), QueryField("reason", .text, "v.reason"),
        QueryField("owner", .identifier, "v.owner"), QueryField("createdAt", .time, "v.created_at"),
        QueryField("startedAt", .time, "v.started_at"), QueryField("busySince", .time, "v.busy_since"),
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

  /// The host of a VM on which the caller may act so.
  /// - Throws: `not_found`, `forbidden`.
  func host(of id: VMID, _ access: Access, _ caller: Caller) async throws -> HostID {
    let host = try await pool.transaction { connection in
      try Permissions.require(access, on: .vm(id), caller, lock: "FOR SHARE", with: connection)
      return try connection.execute("SELECT host FROM inventory.vms WHERE id = \(id.uuid)").first { row in
        HostID(try row("host"))
      }
    }
    guard let host else { throw ServiceError.notFound(.vm) }
    return host
  }

  /// Writes the intent: the reservation on the host that placement chose, the VM, its owner's permission and the
  /// operation, in one transaction.
  /// - Throws: `not_found` or `forbidden` for an image that the caller may not use, `invalid_state` for one that is not available,
  ///   `no_capacity`.
  func insert(_ request: NewVM, _ defaults: VMDefaults, _ origin: RequestOrigin) async throws -> Accepted<VM> {
    let caller = origin.caller
    return try await pool.transaction { connection in
      try Idempotency.inventory.once(origin, "POST vms", request, with: connection) { connection in
        let image = try BootImage.lock(request.image, caller, with: connection)
        let room = Room(
          mem: request.mem ?? defaults.mem, vcpus: request.vcpus ?? defaults.vcpus,
          disk: try image.disk(asked: request.disk))
        let warnings = try QuotaStore.take(room.held.merging([.vms: 1]) { $1 }, origin, with: connection)
        let host = try Placement.reserve(
          PlacementRequest(room: room, arch: image.arch, owner: caller.user, group: request.group), caller,
          with: connection)
        let id = VMID.make()
        let keys = try SSHKeyStore.resolve(request, of: caller.user, with: connection)
        let vm = try connection.execute(
          """
          INSERT INTO inventory.vms AS v (id, owner, name, image, host, mem, vcpus, disk, placement_group, ssh_keys,
            user_data, caps, desired, state)
          VALUES (\(id.uuid), \(caller.user.uuid), \(request.name ?? "vm-\(id.description.suffix(8))"),
            \(request.image.uuid), \(host.uuid), \(room.mem), \(room.vcpus), \(room.disk), \(request.group),
            \(JSONText.encode(keys)), \(request.userData),
            \(try origin.limits?.caps.map { try JSONText.encode($0) })::jsonb, \(request.start ? "running" : "stopped"), 'creating')
          RETURNING \(Self.columns)
          """
        ).map(Self.vm)[0]
        _ = try connection.execute(Permissions.grant(.owner, on: .vm(id), to: caller.user))
        let operation = try OperationStore.insert(.vmCreate, on: UUIDText(id.uuid), origin, with: connection)
        return Accepted(resource: vm, operation: operation, warnings: warnings)
      }
    }
  }

  /// Whether there would be a host for such a VM, and why not.
  /// - Throws: as ``insert(_:_:_:)``, but for `no_capacity`.
  func explain(_ request: NewVM, _ defaults: VMDefaults, _ origin: RequestOrigin) async throws -> PlacementAnswer {
    try await pool.transaction { connection in
      let image = try BootImage.lock(request.image, origin.caller, with: connection)
      let room = Room(
        mem: request.mem ?? defaults.mem, vcpus: request.vcpus ?? defaults.vcpus,
        disk: try image.disk(asked: request.disk))
      return try Placement.explain(
        PlacementRequest(room: room, arch: image.arch, owner: origin.caller.user, group: request.group), origin.caller,
        with: connection)
    }
  }

  /// Asks a VM for something that only its state can stand against.
  /// - Throws: `not_found`, `forbidden`, `invalid_state`.
  func ask(_ request: VMRequest, of id: VMID, _ access: Access, _ origin: RequestOrigin) async throws -> Accepted<VM> {
    try await pool.transaction { connection in
      try Permissions.require(access, on: .vm(id), origin.caller, with: connection)
      let accepted = try VMTransitions.ask(request, of: id, origin, with: connection)
      if [.start, .resume].contains(request), accepted.operation != nil {
        try QuotaStore.consume(for: accepted.resource.owner, origin, with: connection)
      }
      return accepted
    }
  }

  /// A name takes effect in the guest when it is next made from its definition.
  func rename(_ id: VMID, to name: String, _ origin: RequestOrigin) async throws -> Accepted<VM> {
    try await pool.transaction { connection in
      try Permissions.require(.own, on: .vm(id), origin.caller, with: connection)
      return try VMTransitions.ask(.rename, of: id, origin, setting: ", name = \(name)", with: connection)
    }
  }

  /// - Throws: `no_capacity`; `invalid_field` for a disk that would shrink.
  func resize(_ id: VMID, to size: VMSize, _ origin: RequestOrigin) async throws -> Accepted<VM> {
    try await pool.transaction { connection in
      try Permissions.require(.own, on: .vm(id), origin.caller, with: connection)
      let (host, old) = try Self.place(of: id, with: connection)
      let new = Room(mem: size.mem ?? old.mem, vcpus: size.vcpus ?? old.vcpus, disk: size.disk ?? old.disk)
      guard new.disk >= old.disk else {
        throw ServiceError.invalid("disk", "must be at least the present \(old.disk) GiB: disks only grow.")
      }
      let more = Room(mem: new.mem - old.mem, vcpus: new.vcpus - old.vcpus, disk: new.disk - old.disk)
      let warnings = try QuotaStore.take(
        more.held, for: try Self.get(id, with: connection).owner, origin, with: connection)
      let accepted = try VMTransitions.ask(
        .resize, of: id, origin, setting: ", mem = \(new.mem), vcpus = \(new.vcpus), disk = \(new.disk)",
        with: connection)
      try Placement.resize(old, to: new, on: host, origin.caller, with: connection)
      return Accepted(resource: accepted.resource, operation: accepted.operation, warnings: warnings)
    }
  }

  /// Gives a VM a new disk of an image; where its host was given up, on another host.
  /// - Throws: `no_capacity`, `invalid_field` for an image that is larger than the VM's disk.
  func rebuild(_ id: VMID, from image: ImageID, _ origin: RequestOrigin) async throws -> Accepted<VM> {
    try await pool.transaction { connection in
      try Permissions.require(.own, on: .vm(id), origin.caller, with: connection)
      let boot = try BootImage.lock(image, origin.caller, with: connection)
      let (host, room) = try Self.place(of: id, with: connection)
      _ = try boot.disk(asked: room.disk)
      var home: SQL = ""
      let present = try connection.execute(
        "SELECT arch, wanted = 'dead' AND NOT reachable AS is_lost FROM inventory.hosts WHERE id = \(host.uuid)"
      ).first { (arch: try $0("arch", as: String.self), isLost: try $0("is_lost", as: Bool.self)) }
      if present?.isLost == true {
        let group = try connection.execute("SELECT owner, placement_group FROM inventory.vms WHERE id = \(id.uuid)")
          .first { (owner: UserID(try $0("owner")), name: try $0.optional("placement_group", as: String.self)) }
        let new = try Placement.reserve(
          PlacementRequest(
            room: room, arch: boot.arch, owner: group?.owner ?? origin.caller.user, group: group?.name, vm: id),
          origin.caller, with: connection)
        try Placement.release(room, of: host, with: connection)
        home = ", host = \(new.uuid), seen = NULL"
      } else if let arch = present?.arch, arch != boot.arch {
        throw ServiceError.invalid("image", "is of the architecture \(boot.arch), and the VM's host of \(arch).")
      }
      return try VMTransitions.ask(
        .rebuild, of: id, origin, setting: ", image = \(image.uuid), disk_number = disk_number + 1\(home)",
        with: connection)
    }
  }

  /// Moves a stopped VM to another host: an administrator's.
  /// - Throws: `no_capacity`, `conflict` where a former copy still lies on the host.
  func move(_ id: VMID, to host: HostID, _ origin: RequestOrigin) async throws -> Accepted<VM> {
    try origin.caller.requireAdministrator(to: "move VMs")
    return try await pool.transaction { connection in
      try Permissions.require(.own, on: .vm(id), origin.caller, with: connection)
      let (present, room) = try Self.place(of: id, with: connection)
      guard try connection.execute("SELECT FROM inventory.hosts WHERE id = \(host.uuid)").count == 1 else {
        throw ServiceError.invalid("host", "is not a host of this installation.")
      }
      let active = try OperationStore.active(on: UUIDText(id.uuid), with: connection)
      let isOnItsWay =
        try connection.execute(
          "SELECT FROM inventory.vms WHERE id = \(id.uuid) AND moving_to = \(host.uuid)"
        ).count == 1
      if isOnItsWay, let active { return Accepted(resource: try Self.get(id, with: connection), operation: active) }
      if present == host {
        return Accepted(resource: try Self.get(id, with: connection), operation: nil)
      }
      let image = try connection.execute(SnapshotStore.unfetched(of: id)).first { try $0("name", as: String.self) }
      if let image {
        throw ServiceError(.invalidState, "The image '\(image)' is still being made of its disk; wait for that to end.")
      }
      let leftovers = try connection.execute(
        "SELECT FROM inventory.tombstones WHERE host = \(host.uuid) AND vm = \(id.uuid)"
      ).count
      guard leftovers == 0 else {
        throw ServiceError(
          .conflict, "What the VM left on that host is still being removed there; try again in a minute.",
          retryAfter: 60)
      }
      let accepted = try VMTransitions.ask(
        .move, of: id, origin, setting: ", moving_to = \(host.uuid)", with: connection)
      let request = try connection.execute(
        """
        SELECT v.owner, v.placement_group, i.arch FROM inventory.vms v JOIN inventory.images i ON i.id = v.image
        WHERE v.id = \(id.uuid)
        """
      ).first { row in
        PlacementRequest(
          room: room, arch: try row("arch"), owner: UserID(try row("owner")),
          group: try row.optional("placement_group"), vm: id, only: host)
      }
      guard let request else { throw ServiceError.notFound(.vm) }
      _ = try Placement.reserve(request, origin.caller, with: connection)
      return accepted
    }
  }

  /// Says what a VM may use at most: an administrator's. One that is off is capped when it starts.
  func cap(_ id: VMID, _ caps: Caps, _ origin: RequestOrigin) async throws -> Accepted<VM> {
    try origin.caller.requireAdministrator(to: "cap VMs")
    return try await pool.transaction { connection in
      try Permissions.require(.own, on: .vm(id), origin.caller, with: connection)
      let text = caps == .none ? nil : try JSONText.encode(caps)
      return try VMTransitions.ask(.cap, of: id, origin, setting: ", caps = \(text)::jsonb", with: connection)
    }
  }

  /// Writes that a VM should be gone, from whatever state; what was under way ends.
  func delete(_ id: VMID, _ origin: RequestOrigin) async throws -> Accepted<VM> {
    try await pool.transaction { connection in
      try Permissions.require(.own, on: .vm(id), origin.caller, with: connection)
      return try VMTransitions.ask(.remove, of: id, origin, with: connection)
    }
  }

  static func get(_ id: VMID, with connection: isolated PostgresConnection) throws -> VM {
    let found = try connection.execute("SELECT \(columns) FROM inventory.vms v WHERE v.id = \(id.uuid)").first(vm)
    guard let found else { throw ServiceError.notFound(.vm) }
    return found
  }

  /// Where a VM is and what it has; its row is locked already.
  static func place(of id: VMID, with connection: isolated PostgresConnection) throws -> (host: HostID, room: Room) {
    let found = try connection.execute("SELECT host, mem, vcpus, disk FROM inventory.vms WHERE id = \(id.uuid)").first {
      row in
      (
        HostID(try row("host")),
        Room(mem: try row("mem", as: Int.self), vcpus: try row("vcpus"), disk: try row("disk"))
      )
    }
    guard let found else { throw ServiceError.notFound(.vm) }
    return found
  }
}

/// What a VM gets where the request does not say.
struct VMDefaults: Sendable {
  /// MiB.
  var mem: Int
  var vcpus: Int
}

/// An image that a disk can be made of.
struct BootImage: Sendable {
  let arch: String
  /// GiB, rounded up.
  let size: Int

  /// The row is locked, so that it is not removed meanwhile.
  /// - Throws: `not_found`, `forbidden`; `invalid_state` for an image that is not available.
  static func lock(
    _ id: ImageID, _ caller: Caller, with connection: isolated PostgresConnection
  ) throws -> BootImage {
    try Permissions.require(.use, on: .image(id), caller, lock: "FOR SHARE", with: connection)
    let found = try connection.execute(
      "SELECT state, arch, coalesce(virtual_size, 0) AS virtual_size FROM inventory.images WHERE id = \(id.uuid)"
    ).first { row in
      (
        state: try row("state", as: String.self), size: try row("virtual_size", as: Int64.self),
        arch: try row("arch", as: String.self)
      )
    }
    guard let found else { throw ServiceError.notFound(.image) }
    guard found.state == ImageState.available.rawValue else {
      throw ServiceError(.invalidState, "The image is not available: its state is \(found.state).")
    }
    return BootImage(arch: found.arch, size: max(Int((found.size + (1 << 30) - 1) >> 30), 1))
  }

  /// The disk that a VM of it has, in GiB.
  /// - Throws: `invalid_field` for one that the image does not fit on.
  func disk(asked: Int?) throws -> Int {
    let disk = asked ?? size
    guard disk >= size else { throw ServiceError.invalid("disk", "must be at least the image's \(size) GiB.") }
    return disk
  }
}

/// JSON in columns.
enum JSONText {
  static func encode(_ value: some Encodable) throws -> String {
    String(decoding: try JSON.encoder.encode(value), as: UTF8.self)
  }
}

extension PostgresRow {
  /// A value from a column of JSON text.
  func json<Value: Decodable>(_ column: String) throws -> Value {
    let text: String = try self(column)
    return try JSON.decoder.decode(Value.self, from: Data(text.utf8))
  }
}
