import Clients
import Foundation
import Models
import Persistence
import Postgres
import Query
import ServiceKit

import struct Models.Host

/// How an agent is reached; the secret is as it lies in the database, sealed.
struct HostLink: Sendable {
  let id: HostID
  let addr: String
  let certificate: PinnedCertificate
  let sealedSecret: Data
  /// The host's part of every fence.
  let generation: Int64
}

/// The SQL of hosts.
struct HostStore: Sendable {
  let pool: PostgresPool

  /// Seconds between two reports of a host, and after which silence means that it cannot be reached.
  static let reportSeconds = 3
  static let silenceSeconds = 15

  private static let columns: SQL = """
    id, addr, agent_user, state, wanted, reachable, hostname, hypervisor, virtualisation, cpu_model, agent_version, arch,
    cpus, cpus_allocated, mem, mem_allocated, disk, disk_allocated, cpu_overcommit, mem_overcommit, disk_overcommit,
    fingerprint, quarantined::text AS quarantined, last_report_at, created_at
    """

  /// Administrators see everything, others what helps to choose.
  private static func host(_ row: PostgresRow, admin: Bool) throws -> Host {
    func shown<Value>(_ value: Value?) -> Value? { admin ? value : nil }
    let overcommit = Overcommit(
      cpus: try row("cpu_overcommit"), mem: try row("mem_overcommit"), disk: try row("disk_overcommit"))
    let mem: Int = try row("mem")
    let memAllocated: Int = try row("mem_allocated")
    let disk: Int = try row("disk")
    let diskAllocated: Int = try row("disk_allocated")
    let quarantined: [QuarantinedVM] = try row.json("quarantined")
    return Host(
      id: HostID(try row("id")), addr: shown(try row("addr")), user: shown(try row("agent_user")),
      state: try row.wire("state"), reason: shown(try reason(row)), hostname: shown(try row("hostname")),
      hypervisor: shown(try row("hypervisor")), virtualisation: shown(try row.wire("virtualisation")),
      cpuModel: shown(try row("cpu_model")), agentVersion: shown(try row("agent_version")), arch: try row("arch"),
      cpus: shown(try row("cpus")), cpusAllocated: shown(try row("cpus_allocated")), mem: shown(mem),
      memAllocated: shown(memAllocated), disk: shown(disk), diskAllocated: shown(diskAllocated),
      overcommit: shown(overcommit), memFree: max(Int(Double(mem) * overcommit.mem) - memAllocated, 0),
      diskFree: max(Int(Double(disk) * overcommit.disk) - diskAllocated, 0),
      fingerprint: shown(try row("fingerprint")), quarantined: quarantined.isEmpty ? nil : shown(quarantined),
      lastReportAt: shown(try row.optional("last_report_at")), createdAt: try row("created_at"))
  }

  private static func reason(_ row: PostgresRow) throws -> String? {
    let isReachable: Bool = try row("reachable")
    return switch (try row("wanted", as: String.self), isReachable) {
    case ("dead", true): "It was given up and answers again; set it to up or maintenance to use it."
    case ("dead", false): "It was given up; its VMs may be rebuilt on other hosts."
    case ("removing", false): "It does not answer. Set it to dead to remove it without its agent."
    case ("removing", true): "It leaves when its VMs are removed."
    case (_, false): "Its agent does not answer; the VMs on it are kept for it."
    default: nil
    }
  }

  /// All hosts. Who is no administrator can ask only about what they are shown.
  func listing(_ caller: Caller) -> Listing<Host> {
    let shown = [
      QueryField("id", .identifier, "id"), QueryField("state", .text, "state"), QueryField("arch", .text, "arch"),
      QueryField("memFree", .number, "greatest(floor(mem * mem_overcommit)::bigint - mem_allocated, 0)"),
      QueryField("diskFree", .number, "greatest(floor(disk * disk_overcommit)::bigint - disk_allocated, 0)"),
      QueryField("createdAt", .time, "created_at"),
    ]
    let hidden = [
      QueryField("addr", .text, "addr"), QueryField("hostname", .text, "hostname"),
      QueryField("user", .text, "agent_user"),
      QueryField("hypervisor", .text, "hypervisor"), QueryField("virtualisation", .text, "virtualisation"),
      QueryField("cpus", .number, "cpus"), QueryField("cpusAllocated", .number, "cpus_allocated"),
      QueryField("mem", .number, "mem"), QueryField("memAllocated", .number, "mem_allocated"),
      QueryField("disk", .number, "disk"), QueryField("diskAllocated", .number, "disk_allocated"),
      QueryField("fingerprint", .text, "fingerprint"),
    ]
    let admin = caller.admin
    let byTime = SortKey("createdAt", "created_at", as: "timestamptz")
    return Listing(
      pool: pool, columns: Self.columns, source: "inventory.hosts", id: "id", visible: "true",
      fields: QuerySchema(admin ? shown + hidden : shown),
      // `name` as the other lists call it.
      sortKeys: admin
        ? [byTime, SortKey("addr", "addr", as: "text"), SortKey("name", "addr", as: "text")] : [byTime],
      decode: { try Self.host($0, admin: admin) })
  }

  func get(_ id: HostID, _ caller: Caller) async throws -> Host? {
    try await pool.first("SELECT \(Self.columns) FROM inventory.hosts WHERE id = \(id.uuid)") {
      try Self.host($0, admin: caller.admin)
    }
  }

  /// The id of this installation, made by whoever asks first.
  func installation() async throws -> UUIDText {
    let id = try await pool.first(
      """
      WITH made AS (INSERT INTO inventory.installation (id) VALUES (\(UUIDText.make().uuid)) ON CONFLICT DO NOTHING
        RETURNING id)
      SELECT id FROM made UNION ALL SELECT id FROM inventory.installation LIMIT 1
      """
    ) { UUIDText(try $0("id")) }
    if let id { return id }
    // Another process made it between the two halves of the statement.
    return try await installation()
  }

  /// - Throws: `conflict` when the address or the agent's certificate belongs to a host already.
  func insert(
    _ request: NewHost, _ certificate: PinnedCertificate, sealedSecret: Data, _ facts: HostFacts,
    _ origin: RequestOrigin
  ) async throws -> Host {
    do {
      return try await pool.transaction { connection in
        try Idempotency.inventory.once(origin, Self.adding, Self.open(request), with: connection) { connection in
          try connection.execute(
            """
            INSERT INTO inventory.hosts (id, addr, agent_user, certificate, fingerprint, sealed_secret, hypervisor,
              virtualisation, arch, boot_id, cpus, mem, disk, hostname, cpu_model, agent_version, last_report_at)
            VALUES (\(HostID.make().uuid), \(request.addr), \(request.user), \(certificate.der),
              \(certificate.fingerprint), \(sealedSecret), \(facts.hypervisor), \(facts.virtualisation.rawValue),
              \(facts.arch), \(facts.bootID), \(facts.cpus), \(facts.mem), \(facts.disk), \(facts.hostname),
              \(facts.cpuModel), \(facts.agentVersion), now())
            RETURNING \(Self.columns)
            """
          ).map { try Self.host($0, admin: true) }[0]
        }
      }
    } catch let error as PostgresError where error.isUniqueViolation {
      // Added by someone else at the same time. The agent holds the secret that came last, which is this one.
      try await pool.execute(
        """
        UPDATE inventory.hosts SET sealed_secret = \(sealedSecret) WHERE fingerprint = \(certificate.fingerprint)
        """)
      throw Self.known
    }
  }

  private static let adding = "POST hosts"

  /// What is remembered of a request, which is not the password.
  private static func open(_ request: NewHost) -> [String?] { [request.addr, request.user, request.fingerprint] }

  /// The host that the same request has added already.
  func answered(_ request: NewHost, _ origin: RequestOrigin) async throws -> Host? {
    try await Idempotency.inventory.answer(to: origin, Self.adding, Self.open(request), in: pool)
  }

  static let known = ServiceError(.conflict, "This host has been added already.")

  /// Whether a host has this certificate or address.
  func isKnown(_ fingerprint: String, addr: String) async throws -> Bool {
    try await pool.first(
      """
      SELECT EXISTS (SELECT FROM inventory.hosts WHERE fingerprint = \(fingerprint) OR addr = \(addr)) AS known
      """
    ) { try $0("known") } ?? false
  }

  /// - Throws: `not_found`; `conflict` while VMs are on it, decided by the foreign key.
  func delete(_ id: HostID) async throws {
    do {
      guard try await pool.execute("DELETE FROM inventory.hosts WHERE id = \(id.uuid)") == 1 else {
        throw ServiceError.notFound(.host)
      }
    } catch let error as PostgresError where error.sqlState == "23503" { throw Self.inUse }
  }

  private static let inUse = ServiceError(
    .conflict, "There are VMs on this host; remove or move them first, or have them removed by ?cascade=true.")

  /// What an administrator wants of a host.
  /// - Throws: `not_found`; `invalid_state` for a host that is leaving.
  func update(_ id: HostID, _ update: HostUpdate, _ origin: RequestOrigin) async throws -> Host {
    try await pool.transaction { connection in
      let before = try Self.lock(id, with: connection)
      if let wanted = update.state {
        guard before != HostState.removing.rawValue || wanted == .dead else {
          throw ServiceError(.invalidState, "The host is being removed.")
        }
        _ = try connection.execute(
          """
          UPDATE inventory.hosts SET wanted = \(wanted.rawValue),
            generation = generation + \(wanted == .dead && before != wanted.rawValue ? 1 : 0)
          WHERE id = \(id.uuid)
          """)
        if wanted == .dead { try Self.giveUp(id, with: connection) }
      }
      if let factors = update.overcommit {
        _ = try connection.execute(
          """
          UPDATE inventory.hosts SET cpu_overcommit = \(factors.cpus), mem_overcommit = \(factors.mem),
            disk_overcommit = \(factors.disk) WHERE id = \(id.uuid)
          """)
      }
      let host = try connection.execute("SELECT \(Self.columns) FROM inventory.hosts WHERE id = \(id.uuid)").first {
        try Self.host($0, admin: true)
      }
      guard let host else { throw ServiceError.notFound(.host) }
      return host
    }
  }

  private static func lock(_ id: HostID, with connection: isolated PostgresConnection) throws -> String {
    let wanted = try connection.execute("SELECT wanted FROM inventory.hosts WHERE id = \(id.uuid) FOR UPDATE").first {
      try $0("wanted", as: String.self)
    }
    guard let wanted else { throw ServiceError.notFound(.host) }
    return wanted
  }

  /// Ends all that is under way on a host that will not answer, and lets its VMs begin anew elsewhere.
  private static func giveUp(_ id: HostID, with connection: isolated PostgresConnection) throws {
    let vms = try connection.execute(
      """
      SELECT id, host FROM inventory.vms WHERE host = \(id.uuid) OR moving_to = \(id.uuid) ORDER BY id FOR UPDATE
      """
    ).map { (id: VMID(try $0("id", as: UUID.self)), isHere: try $0("host", as: UUID.self) == id.uuid) }
    for vm in vms {
      try VMTransitions.end(
        try OperationStore.active(on: UUIDText(vm.id.uuid), with: connection), on: vm.id, with: connection)
      guard vm.isHere else { continue }
      switch VMStateMachine.next(try VMTransitions.life(of: vm.id, with: connection), .hostLost) {
      case .forgotten:
        // Its removal was asked for: it is done should the host come back.
        try MoveStore.bury(vm.id, on: id, with: connection)
        try VMTransitions.forget(vm.id, with: connection)
      case let transition:
        // Commands that are still on their way to the host are overtaken.
        try VMTransitions.write(
          transition, to: vm.id, setting: ", generation = generation + 1, stale = true", with: connection)
      }
    }
  }

  /// Has a host removed after its VMs. Those of a host that was given up are forgotten at once.
  /// - Throws: `not_found`; `invalid_state` while that is under way already.
  func cascade(_ id: HostID, _ origin: RequestOrigin) async throws -> Models.Operation {
    try await pool.transaction { connection in
      let wanted = try Self.lock(id, with: connection)
      let resource = UUIDText(id.uuid)
      if let active = try OperationStore.active(on: resource, with: connection) { return active }
      let isDead = wanted == HostState.dead.rawValue
      if !isDead {
        _ = try connection.execute("UPDATE inventory.hosts SET wanted = 'removing' WHERE id = \(id.uuid)")
      }
      try Self.endArrivals(at: id, with: connection)
      let vms = try connection.execute(
        "SELECT id FROM inventory.vms WHERE host = \(id.uuid) ORDER BY id FOR UPDATE"
      ).map { VMID(try $0("id", as: UUID.self)) }
      for vm in vms {
        if isDead {
          try OperationStore.cancel(on: UUIDText(vm.uuid), with: connection)
          try VMTransitions.forget(vm, with: connection)
        } else {
          _ = try VMTransitions.ask(.remove, of: vm, origin, with: connection)
        }
      }
      return try OperationStore.insert(.hostDelete, on: resource, origin, with: connection)
    }
  }

  /// VMs that were on their way to a host stay where they are.
  private static func endArrivals(at id: HostID, with connection: isolated PostgresConnection) throws {
    let arriving = try connection.execute(
      "SELECT id FROM inventory.vms WHERE moving_to = \(id.uuid) ORDER BY id FOR UPDATE"
    ).map { VMID(try $0("id", as: UUID.self)) }
    for vm in arriving {
      try VMTransitions.end(
        try OperationStore.active(on: UUIDText(vm.uuid), with: connection), on: vm, with: connection)
    }
  }

  /// Removes a host whose VMs are gone, and ends the operation with it.
  /// - Returns: Whether it could be.
  func finishRemoval(_ claim: Claim) async throws -> Bool {
    do {
      try await pool.transaction { connection in
        try OperationStore.complete(claim, error: nil, with: connection)
        _ = try connection.execute("DELETE FROM inventory.hosts WHERE id = \(claim.resource.uuid)")
      }
      return true
    } catch let error as PostgresError where error.sqlState == "23503" { return false }
  }

  /// Ends a removal that could not be done; the host stays as it was before.
  func failRemoval(_ claim: Claim, with error: ServiceError) async throws {
    try await pool.transaction { connection in
      try OperationStore.complete(claim, error: error, with: connection)
      _ = try connection.execute(
        "UPDATE inventory.hosts SET wanted = 'maintenance' WHERE id = \(claim.resource.uuid) AND wanted = 'removing'")
    }
  }

  static func link(_ row: PostgresRow) throws -> HostLink {
    HostLink(
      id: HostID(try row("id")), addr: try row("addr"), certificate: PinnedCertificate(der: try row("certificate")),
      sealedSecret: try row("sealed_secret"), generation: try row("generation"))
  }

  func link(_ id: HostID) async throws -> HostLink? {
    try await pool.first(
      "SELECT id, addr, certificate, sealed_secret, generation FROM inventory.hosts WHERE id = \(id.uuid)", Self.link)
  }

  /// Takes the host whose report is due, for this turn, with the database's time at which it was taken. A host on which a
  /// guest is just starting is asked more often.
  func claimReport() async throws -> (link: HostLink, at: Date)? {
    try await pool.first(
      """
      UPDATE inventory.hosts h SET next_report_at = now() + interval '1 second' * CASE WHEN EXISTS (
          SELECT FROM inventory.vms v WHERE v.host = h.id AND v.started_at > now() - interval '2 minutes'
            AND NOT v.readiness @> '[{"stage": "ssh"}]') THEN 1 ELSE \(Self.reportSeconds) END
      WHERE id = (SELECT id FROM inventory.hosts WHERE next_report_at <= now() ORDER BY next_report_at LIMIT 1
        FOR UPDATE SKIP LOCKED)
      RETURNING id, addr, certificate, sealed_secret, generation, now() AS taken_at
      """
    ) { row in (try Self.link(row), try row("taken_at")) }
  }
}
