import Foundation
import Models
import Postgres

/// What a VM needs of a host.
struct Room: Sendable, Equatable {
  /// MiB.
  var mem: Int
  var vcpus: Int
  /// GiB.
  var disk: Int
}

/// What placement has to know of a VM.
struct PlacementRequest: Sendable {
  var room: Room
  var arch: String
  var owner: UserID
  var group: String?
  /// The VM itself where it exists already, as it is no reason against a host.
  var vm: VMID?
  /// The only host that will do.
  var only: HostID?
}

/// Chooses hosts and keeps account of what is promised on them, in the transaction that needs it.
///
/// Filters: the host is up, has the architecture, room for everything, no other VM of the group, and no former copy of the
/// VM that was put aside. Among those that are left the one with the largest share of its memory free is taken, with processors and disk counting for less.
enum Placement {
  /// - Throws: `no_capacity`; administrators are told why for each host.
  static func reserve(
    _ request: PlacementRequest, _ caller: Caller, with connection: isolated PostgresConnection
  ) throws -> HostID {
    if let group = request.group {
      // Two VMs of a group that are placed at the same time would not see each other.
      _ = try connection.execute(
        "SELECT pg_advisory_xact_lock(hashtextextended(\("\(request.owner) \(group)"), 1))")
    }
    // First a host that nobody else works on; then waiting for the best. A host that was best may have no room left by
    // the time it is ours: then again.
    for lock: SQL in ["FOR UPDATE OF h SKIP LOCKED"] + Array(repeating: "FOR UPDATE OF h", count: 4) {
      guard let best = try candidate(request, lock: lock, with: connection) else { continue }
      try add(request.room, to: best, with: connection)
      return best
    }
    throw ServiceError(
      .noCapacity, refusal(request), fields: caller.admin ? try reasons(request, with: connection) : [])
  }

  /// What would come of the request now, without promising anything.
  static func explain(
    _ request: PlacementRequest, _ caller: Caller, with connection: isolated PostgresConnection
  ) throws -> PlacementAnswer {
    let best = try candidate(request, lock: "", with: connection)
    let message = best == nil ? refusal(request) : "There is a host for it."
    guard caller.admin else { return PlacementAnswer(fits: best != nil, message: message, hosts: nil) }
    let hosts = try looks(request, with: connection).map { look in
      HostVerdict(host: look.host, addr: look.addr, reason: look.reason, isBest: look.host == best)
    }
    return PlacementAnswer(fits: best != nil, message: message, hosts: hosts)
  }

  /// Promises more, or less, of a host to a VM that is there.
  /// - Throws: `no_capacity`.
  static func resize(
    _ old: Room, to new: Room, on host: HostID, _ caller: Caller, with connection: isolated PostgresConnection
  ) throws {
    let more = Room(mem: new.mem - old.mem, vcpus: new.vcpus - old.vcpus, disk: new.disk - old.disk)
    // What shrinks always fits.
    let changed = try connection.execute(
      """
      UPDATE inventory.hosts h SET cpus_allocated = cpus_allocated + \(more.vcpus),
        mem_allocated = mem_allocated + \(more.mem), disk_allocated = disk_allocated + \(more.disk)
      WHERE id = \(host.uuid) AND (\(more.vcpus) <= 0 OR \(cpusFit(more)))
        AND (\(more.mem) <= 0 OR \(memFits(more))) AND (\(more.disk) <= 0 OR \(diskFits(more)))
      """
    ).affected
    guard changed == 1 else {
      throw ServiceError(
        .noCapacity, "The VM's host has no room for that; move the VM to a larger host, or ask for less.")
    }
  }

  static func release(_ room: Room, of host: HostID, with connection: isolated PostgresConnection) throws {
    try add(Room(mem: -room.mem, vcpus: -room.vcpus, disk: -room.disk), to: host, with: connection)
  }

  private static func add(_ room: Room, to host: HostID, with connection: isolated PostgresConnection) throws {
    _ = try connection.execute(
      """
      UPDATE inventory.hosts SET cpus_allocated = cpus_allocated + \(room.vcpus),
        mem_allocated = mem_allocated + \(room.mem), disk_allocated = disk_allocated + \(room.disk)
      WHERE id = \(host.uuid)
      """)
  }

  private static func candidate(
    _ request: PlacementRequest, lock: SQL, with connection: isolated PostgresConnection
  ) throws -> HostID? {
    try connection.execute(
      """
      SELECT h.id FROM inventory.hosts h
      WHERE h.state = 'up' AND h.arch = \(request.arch) AND \(isMeant(request)) AND \(cpusFit(request.room))
        AND \(memFits(request.room)) AND \(diskFits(request.room)) AND NOT \(hasGroup(request)) AND NOT \(keepsFormer(request))
      ORDER BY 4 * (1 - h.mem_allocated / (h.mem * h.mem_overcommit))
        + 2 * (1 - h.cpus_allocated / (h.cpus * h.cpu_overcommit))
        + (1 - h.disk_allocated / (h.disk * h.disk_overcommit)) DESC, h.id
      LIMIT 1 \(lock)
      """
    ).first { HostID(try $0("id")) }
  }

  private static func isMeant(_ request: PlacementRequest) -> SQL {
    request.only.map { "h.id = \($0.uuid)" } ?? "true"
  }

  private static func cpusFit(_ room: Room) -> SQL {
    "h.cpus_allocated + \(room.vcpus) <= h.cpus * h.cpu_overcommit"
  }

  private static func memFits(_ room: Room) -> SQL {
    "h.mem_allocated + \(room.mem) <= h.mem * h.mem_overcommit"
  }

  private static func diskFits(_ room: Room) -> SQL {
    "h.disk_allocated + \(room.disk) <= h.disk * h.disk_overcommit"
  }

  private static func hasGroup(_ request: PlacementRequest) -> SQL {
    guard let group = request.group else { return "false" }
    return """
      EXISTS (SELECT FROM inventory.vms g WHERE g.owner = \(request.owner.uuid) AND g.placement_group = \(group)
        AND h.id IN (g.host, g.moving_to) AND g.id IS DISTINCT FROM \(request.vm?.uuid)::uuid)
      """
  }

  /// Whether a former copy of the VM was put aside there, or is yet to be removed: a new one would take its place.
  private static func keepsFormer(_ request: PlacementRequest) -> SQL {
    guard let vm = request.vm else { return "false" }
    return """
      (h.quarantined @> jsonb_build_array(jsonb_build_object('id', \(vm.description)::text))
        OR EXISTS (SELECT FROM inventory.tombstones t WHERE t.host = h.id AND t.vm = \(vm.uuid)))
      """
  }

  private static func refusal(_ request: PlacementRequest) -> String {
    let room = request.room
    let what = "\(room.mem) MiB of memory, \(room.vcpus) vCPUs and \(room.disk) GiB of disk"
    let group = request.group.map { " apart from the other VMs of the group '\($0)'" } ?? ""
    return request.only == nil
      ? "No host that is up has room for \(what)\(group)." : "The host is not up, or has no room for \(what)\(group)."
  }

  /// Why each host was not taken, as far as there is room to say it.
  private static func reasons(
    _ request: PlacementRequest, with connection: isolated PostgresConnection
  ) throws -> [FieldError] {
    try looks(request, with: connection).map { look in
      FieldError(field: look.addr, message: look.reason ?? "was taken by others at that moment.")
    }
  }

  /// A host as it is to a request; the reason is nil where it would do.
  private struct Look: Sendable {
    let host: HostID
    let addr: String
    let reason: String?
  }

  private static func looks(
    _ request: PlacementRequest, with connection: isolated PostgresConnection
  ) throws -> [Look] {
    try connection.execute(
      """
      SELECT h.id, h.addr, h.state, h.arch, h.arch <> \(request.arch) AS other_arch, \(hasGroup(request)) AS has_group,
        \(keepsFormer(request)) AS keeps_former,
        floor(h.cpus * h.cpu_overcommit)::bigint - h.cpus_allocated AS cpus,
        floor(h.mem * h.mem_overcommit)::bigint - h.mem_allocated AS mem,
        floor(h.disk * h.disk_overcommit)::bigint - h.disk_allocated AS disk
      FROM inventory.hosts h WHERE \(isMeant(request)) ORDER BY h.addr LIMIT 100
      """
    ).map { row in
      Look(host: HostID(try row("id")), addr: try row("addr"), reason: try reason(request, row))
    }
  }

  private static func reason(_ request: PlacementRequest, _ row: PostgresRow) throws -> String? {
    let state: String = try row("state")
    if state != HostState.up.rawValue { return "is \(state)." }
    if try row("other_arch") {
      return "has the architecture \(try row("arch", as: String.self)), not \(request.arch)."
    }
    if try row("has_group") { return "has another VM of the group '\(request.group ?? "")'." }
    if try row("keeps_former") { return "keeps a former copy of the VM; remove that first." }
    let lacking = try [
      ("vCPUs", request.room.vcpus, row("cpus", as: Int.self)), ("MiB of memory", request.room.mem, row("mem")),
      ("GiB of disk", request.room.disk, row("disk")),
    ].filter { $0.1 > $0.2 }.map { "\(max($0.2, 0)) \($0.0) free, \($0.1) asked for" }
    return lacking.isEmpty ? nil : "has \(lacking.joined(separator: "; "))."
  }
}
