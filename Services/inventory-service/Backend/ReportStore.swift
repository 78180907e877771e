import Foundation
import Models
import Postgres
import ServiceKit

/// What a host has to be told after its report.
struct Correction: Sendable {
  enum Kind: Sendable {
    /// It has a VM of ours that nobody knows.
    case quarantine(generation: Int64)
    /// It has what was removed, or moved away.
    case bury(generation: Int64)
    /// It keeps a copy of the VM's disk for an image that is done with, or removed.
    case discard(ImageID)
  }

  let vm: VMID
  let kind: Kind
}

/// The SQL by which reports become what people see.
struct ReportStore: Sendable {
  let pool: PostgresPool

  /// What was known of a VM before a report.
  struct Known: Sendable {
    let report: VMReport?
    let steps: [ReadinessStep]
  }

  /// A VM's row, and what the report says of it.
  private struct Pair: Sendable {
    let id: VMID
    let owner: UserID
    let life: VMLife
    let known: Known
    let report: VMReport?
  }

  /// Stores a report: the host's facts, and what comes of each VM's state unless something is being done to it or it was
  /// seen later than the report was asked for. VMs of which the report says what the last one said are not looked at.
  /// - Returns: What the host has to be told; nothing for a report that came late.
  func store(_ report: HostReport, from host: HostID, askedAt: Date) async throws -> [Correction] {
    try await pool.transaction { connection in
      guard try Self.storeFacts(report, of: host, with: connection) else { return [] }
      let text = try JSONText.encode(report.vms)
      for pair in try Self.changed(text, on: host, askedAt: askedAt, with: connection) {
        try Self.store(pair, requestID: report.run.description, with: connection)
      }
      return try Self.strays(report, on: host, askedAt: askedAt, with: connection)
        + Self.unwanted(report, with: connection)
    }
  }

  private static func storeFacts(
    _ report: HostReport, of host: HostID, with connection: isolated PostgresConnection
  ) throws -> Bool {
    let facts = report.facts
    return try connection.execute(
      """
      UPDATE inventory.hosts SET reachable = true, last_report_at = now(), hostname = \(facts.hostname),
        hypervisor = \(facts.hypervisor), virtualisation = \(facts.virtualisation.rawValue), arch = \(facts.arch),
        cpu_model = \(facts.cpuModel), agent_version = \(facts.agentVersion), boot_id = \(facts.bootID),
        cpus = \(facts.cpus), mem = \(facts.mem), disk = \(facts.disk), report_run = \(report.run.uuid),
        report_sequence = \(report.sequence)
      WHERE id = \(host.uuid) AND (report_run IS DISTINCT FROM \(report.run.uuid) OR report_sequence < \(report.sequence))
      """
    ).affected == 1
  }

  private static func changed(
    _ vms: String, on host: HostID, askedAt: Date, with connection: isolated PostgresConnection
  ) throws -> [Pair] {
    try connection.execute(
      """
      SELECT v.id, v.owner, v.state, v.desired, v.reason, v.seen::text AS seen, v.readiness::text AS readiness,
        r.report::text AS report
      FROM inventory.vms v LEFT JOIN (
        SELECT (value ->> 'id')::uuid AS id, value AS report FROM jsonb_array_elements(\(vms)::jsonb)
      ) r ON r.id = v.id
      WHERE v.host = \(host.uuid) AND coalesce(v.observed_at, v.created_at) < \(askedAt)::timestamptz
        AND (v.desired <> 'deleted' OR coalesce(v.observed_at, '-infinity') < now() - interval '30 seconds')
        AND (v.stale OR v.state = 'unknown' OR v.seen IS DISTINCT FROM r.report)
        AND NOT EXISTS (SELECT FROM inventory.operations o WHERE o.resource = v.id
          AND o.status IN ('pending', 'running'))
      ORDER BY v.id FOR UPDATE OF v SKIP LOCKED
      """
    ).map { row in
      Pair(
        id: VMID(try row("id")), owner: UserID(try row("owner")),
        life: try life(row),
        known: try known(row), report: try row.optionalJSON("report"))
    }
  }

  /// A VM whose host was given up and answers again is as good as one that was not heard of.
  private static func life(_ row: PostgresRow) throws -> VMLife {
    let isBack = try row.optional("reason", as: String.self) == VMStateMachine.lostReason
    return VMLife(state: isBack ? .unknown : try row.wire("state"), desired: try row.wire("desired"))
  }

  private static func store(
    _ pair: Pair, requestID: String, with connection: isolated PostgresConnection
  ) throws {
    let transition = VMStateMachine.next(pair.life, .seen(observation(pair)))
    let assignments: SQL =
      try pair.report.map { try Self.assignments($0, after: pair.known) }
      ?? ", stale = false, observed_at = now(), seen = NULL, addresses = '[]', readiness = '[]'"
    guard case .to(_, _, let work, _) = transition else {
      try VMTransitions.write(
        .to(pair.life, reason: .kept), to: pair.id, setting: assignments, with: connection)
      return
    }
    try VMTransitions.write(transition, to: pair.id, setting: work == nil ? assignments : "", with: connection)
    if let work {
      _ = try OperationStore.insert(
        work, on: UUIDText(pair.id.uuid), owner: pair.owner, requestID: requestID, with: connection)
    }
  }

  private static func observation(_ pair: Pair) -> Observation {
    guard let report = pair.report else { return .absent }
    switch report.power {
    case .running: return .running
    case .paused: return .paused(report.cause)
    case .crashed: return .crashed
    case .stopped:
      guard let seen = pair.known.report, seen.bootID != report.bootID else { return .stopped(report.cause) }
      return .lostPower
    }
  }

  /// The columns that follow a report, as SQL that goes on with a comma. Each stage keeps the time at which it was first
  /// seen in this run of the guest.
  static func assignments(_ report: VMReport, after known: Known) throws -> SQL {
    let isOn = report.power == .running || report.power == .paused
    let isSameRun = known.report.map { $0.boot == report.boot && $0.power != .stopped } ?? false
    let before = isSameRun ? known.steps : []
    let steps = before + report.readiness.filter { step in !before.contains { $0.stage == step.stage } }
    return """
      , observed_at = now(), observed_generation = \(report.generation), stale = false,
      seen = \(try JSONText.encode(report))::jsonb, addresses = \(try JSONText.encode(isOn ? report.addresses : [])),
      readiness = \(try JSONText.encode(isOn ? steps : []))::jsonb,
      host_keys = \(try JSONText.encode(report.hostKeys))::jsonb,
      boot = CASE WHEN \(isOn) THEN \(report.boot) ELSE boot END,
      started_at = CASE WHEN \(isOn) THEN coalesce(started_at, now()) END
      """
  }

  static func known(_ id: VMID, with connection: isolated PostgresConnection) throws -> Known {
    try connection.execute(
      "SELECT seen::text AS seen, readiness::text AS readiness FROM inventory.vms WHERE id = \(id.uuid)"
    ).first { try known($0) } ?? Known(report: nil, steps: [])
  }

  private static func known(_ row: PostgresRow) throws -> Known {
    Known(report: try row.optionalJSON("seen"), steps: try row.json("readiness"))
  }

  /// What the host has that no row names: to be removed if that was asked for, else to be put aside.
  private static func strays(
    _ report: HostReport, on host: HostID, askedAt: Date, with connection: isolated PostgresConnection
  ) throws -> [Correction] {
    let known = Set(
      try connection.execute(
        """
        SELECT id FROM inventory.vms WHERE host = \(host.uuid) UNION ALL
        SELECT id FROM inventory.vms WHERE moving_to = \(host.uuid)
        """
      ).map { VMID(try $0("id", as: UUID.self)) })
    let buried = Dictionary(
      uniqueKeysWithValues: try connection.execute(
        "SELECT vm, generation FROM inventory.tombstones WHERE host = \(host.uuid)"
      ).map { (VMID(try $0("vm", as: UUID.self)), try $0("generation", as: Int64.self)) })
    let unknown = report.vms.filter { !known.contains($0.id) && buried[$0.id] == nil }
    let elsewhere = try generations(of: unknown.map(\.id), with: connection)
    // One that another host has by the same right is not overtaken: two hosts report the same libvirt.
    let strays = unknown.filter { vm in elsewhere[vm.id].map { $0 > vm.generation } ?? true }
    try note(strays, on: host, with: connection)
    let present = Set(report.vms.map(\.id) + report.remains)
    let gone = buried.keys.filter { !present.contains($0) }.map(\.uuid)
    if !gone.isEmpty {
      _ = try connection.execute(
        """
        DELETE FROM inventory.tombstones WHERE host = \(host.uuid) AND vm = ANY (\(gone)::uuid[])
          AND created_at < \(askedAt)::timestamptz
        """)
    }
    let toBury = buried.filter { present.contains($0.key) && !known.contains($0.key) }
    return toBury.map { Correction(vm: $0.key, kind: .bury(generation: $0.value)) }
      + strays.filter { $0.quarantined == nil || $0.power != .stopped }.map {
        Correction(vm: $0.id, kind: .quarantine(generation: $0.generation))
      }
  }

  private static func generations(
    of vms: [VMID], with connection: isolated PostgresConnection
  ) throws -> [VMID: Int64] {
    guard !vms.isEmpty else { return [:] }
    return Dictionary(
      uniqueKeysWithValues: try connection.execute(
        "SELECT id, generation FROM inventory.vms WHERE id = ANY (\(vms.map(\.uuid))::uuid[])"
      ).map { (VMID(try $0("id", as: UUID.self)), try $0("generation", as: Int64.self)) })
  }

  /// Copies that no snapshot waits for.
  private static func unwanted(
    _ report: HostReport, with connection: isolated PostgresConnection
  ) throws -> [Correction] {
    let captures = report.vms.flatMap { vm in vm.captures.map { (vm: vm.id, image: $0) } }
    guard !captures.isEmpty else { return [] }
    let wanted = Set(
      try connection.execute(
        """
        SELECT id FROM inventory.images WHERE id = ANY (\(captures.map(\.image.uuid))::uuid[])
          AND state = 'importing' AND deleted_at IS NULL
        """
      ).map { ImageID(try $0("id", as: UUID.self)) })
    return captures.filter { !wanted.contains($0.image) }.map { Correction(vm: $0.vm, kind: .discard($0.image)) }
  }

  /// Shows administrators what was put aside.
  private static func note(
    _ strays: [VMReport], on host: HostID, with connection: isolated PostgresConnection
  ) throws {
    let quarantined = strays.compactMap { vm in
      vm.quarantined.map { QuarantinedVM(id: vm.id, owner: vm.owner, since: $0) }
    }
    let text = try JSONText.encode(quarantined)
    _ = try connection.execute(
      """
      UPDATE inventory.hosts SET quarantined = \(text)::jsonb
      WHERE id = \(host.uuid) AND quarantined <> \(text)::jsonb
      """)
  }

  /// Notes that a host gave no report. After a while of silence nothing is known of its VMs; they are not gone.
  func noteSilence(of host: HostID) async throws {
    try await pool.transaction { connection in
      let silent = try connection.execute(
        """
        UPDATE inventory.hosts SET reachable = false
        WHERE id = \(host.uuid) AND last_report_at < now() - \(HostStore.silenceSeconds) * interval '1 second'
        """
      ).affected
      guard silent == 1 else { return }
      let vms = try connection.execute(
        """
        SELECT id, state, desired FROM inventory.vms v WHERE host = \(host.uuid)
          AND state IN ('running', 'paused', 'stopped', 'error')
          AND NOT EXISTS (SELECT FROM inventory.hosts h WHERE h.id = v.host AND h.wanted = 'dead')
          AND NOT EXISTS (SELECT FROM inventory.operations o WHERE o.resource = v.id AND o.status IN ('pending', 'running'))
        ORDER BY id FOR UPDATE SKIP LOCKED
        """
      ).map { row in
        (VMID(try row("id", as: UUID.self)), VMLife(state: try row.wire("state"), desired: try row.wire("desired")))
      }
      for (id, life) in vms {
        try VMTransitions.write(VMStateMachine.next(life, .silence), to: id, with: connection)
      }
    }
  }
}

extension PostgresRow {
  func optionalJSON<Value: Decodable>(_ column: String) throws -> Value? {
    try optional(column, as: String.self).map { try JSON.decoder.decode(Value.self, from: Data($0.utf8)) }
  }
}
