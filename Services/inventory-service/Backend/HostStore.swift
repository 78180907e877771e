import Clients
import Foundation
import Models
import Persistence
import Postgres
import Query

import struct Models.Host

/// How an agent is reached; the secret is as it lies in the database, sealed.
struct HostLink: Sendable {
  let id: HostID
  let addr: String
  let certificate: PinnedCertificate
  let sealedSecret: Data
}

/// The SQL of hosts.
struct HostStore: Sendable {
  let pool: PostgresPool

  /// Virtual CPUs that placement promises per logical one.
  static let cpuOvercommit = 4
  /// Seconds between two reports of a host, and after which silence means that it cannot be reached.
  static let reportSeconds = 3
  static let silenceSeconds = 15

  private static let columns: SQL = """
    id, addr, agent_user, state, hypervisor, virtualisation, arch, cpus, cpus_allocated, mem, mem_allocated, disk,
    disk_allocated, fingerprint, created_at
    """

  /// Administrators see everything, others what helps to choose.
  private static func host(_ row: PostgresRow, admin: Bool) throws -> Host {
    func shown<Value>(_ value: Value) -> Value? { admin ? value : nil }
    let mem: Int = try row("mem")
    let memAllocated: Int = try row("mem_allocated")
    let disk: Int = try row("disk")
    let diskAllocated: Int = try row("disk_allocated")
    return Host(
      id: HostID(try row("id")), addr: shown(try row("addr")), user: shown(try row("agent_user")),
      state: try row.wire("state"), hypervisor: shown(try row("hypervisor")),
      virtualisation: shown(try row.wire("virtualisation")), arch: try row("arch"), cpus: shown(try row("cpus")),
      cpusAllocated: shown(try row("cpus_allocated")), mem: shown(mem), memAllocated: shown(memAllocated),
      disk: shown(disk), diskAllocated: shown(diskAllocated), memFree: max(mem - memAllocated, 0),
      diskFree: max(disk - diskAllocated, 0), fingerprint: shown(try row("fingerprint")),
      createdAt: try row("created_at"))
  }

  /// All hosts. Who is no administrator can ask only about what they are shown.
  func listing(_ caller: Caller) -> Listing<Host> {
    let shown = [
      QueryField("id", .identifier, "id"), QueryField("state", .text, "state"), QueryField("arch", .text, "arch"),
      QueryField("memFree", .number, "greatest(mem - mem_allocated, 0)"),
      QueryField("diskFree", .number, "greatest(disk - disk_allocated, 0)"),
      QueryField("createdAt", .time, "created_at"),
    ]
    let hidden = [
      QueryField("addr", .text, "addr"), QueryField("user", .text, "agent_user"),
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
  func insert(_ request: NewHost, _ certificate: PinnedCertificate, sealedSecret: Data, _ facts: HostFacts) async throws
    -> Host
  {
    do {
      return try await pool.rows(
        """
        INSERT INTO inventory.hosts (id, addr, agent_user, certificate, fingerprint, sealed_secret, hypervisor,
          virtualisation, arch, boot_id, cpus, mem, disk, last_report_at)
        VALUES (\(HostID.make().uuid), \(request.addr), \(request.user), \(certificate.der), \(certificate.fingerprint),
          \(sealedSecret), \(facts.hypervisor), \(facts.virtualisation.rawValue), \(facts.arch), \(facts.bootID),
          \(facts.cpus), \(facts.mem), \(facts.disk), now())
        RETURNING \(Self.columns)
        """
      ) { try Self.host($0, admin: true) }[0]
    } catch let error as PostgresError where error.isUniqueViolation {
      // Added by someone else at the same time. The agent holds the secret that came last, which is this one.
      try await pool.execute(
        """
        UPDATE inventory.hosts SET sealed_secret = \(sealedSecret) WHERE fingerprint = \(certificate.fingerprint)
        """)
      throw Self.known
    }
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
    } catch let error as PostgresError where error.sqlState == "23503" {
      throw ServiceError(.conflict, "There are VMs on this host; remove them first.")
    }
  }

  private static func link(_ row: PostgresRow) throws -> HostLink {
    HostLink(
      id: HostID(try row("id")), addr: try row("addr"), certificate: PinnedCertificate(der: try row("certificate")),
      sealedSecret: try row("sealed_secret"))
  }

  func link(_ id: HostID) async throws -> HostLink? {
    try await pool.first(
      "SELECT id, addr, certificate, sealed_secret FROM inventory.hosts WHERE id = \(id.uuid)", Self.link)
  }

  /// Takes the host whose report is due, for this turn, with the database's time at which it was taken.
  func claimReport() async throws -> (link: HostLink, at: Date)? {
    try await pool.first(
      """
      UPDATE inventory.hosts SET next_report_at = now() + \(Self.reportSeconds) * interval '1 second'
      WHERE id = (SELECT id FROM inventory.hosts WHERE next_report_at <= now() ORDER BY next_report_at LIMIT 1
        FOR UPDATE SKIP LOCKED)
      RETURNING id, addr, certificate, sealed_secret, now() AS taken_at
      """
    ) { row in (try Self.link(row), try row("taken_at")) }
  }

  /// Stores a report: the host's facts, and each VM's state unless something is being done to it or it was seen later
  /// than the report was asked for. A VM that the complete report lacks is told as such. Rows that would stay the same
  /// are not written.
  func store(_ report: HostReport, from host: HostID, askedAt: Date) async throws {
    struct Seen: Encodable {
      let id: String, power: String, addresses: [VMAddress]
    }
    let seen = report.vms.map { Seen(id: $0.id.description, power: $0.power.rawValue, addresses: $0.addresses) }
    let encoded = String(decoding: try JSONEncoder().encode(seen), as: UTF8.self)
    let facts = report.facts
    try await pool.transaction { connection in
      _ = try connection.execute(
        """
        UPDATE inventory.hosts SET state = CASE state WHEN 'unreachable' THEN 'up' ELSE state END,
          last_report_at = now(), hypervisor = \(facts.hypervisor), virtualisation = \(facts.virtualisation.rawValue),
          boot_id = \(facts.bootID), cpus = \(facts.cpus), mem = \(facts.mem), disk = \(facts.disk)
        WHERE id = \(host.uuid)
        """)
      _ = try connection.execute(
        """
        UPDATE inventory.vms v SET observed_at = now(), addresses = seen.addresses::text, state = seen.state,
          reason = CASE WHEN seen.power IS NULL AND v.state = 'error' THEN v.reason
            WHEN seen.power IS NULL THEN 'The host no longer has this VM; remove it and make a new one.'
            WHEN seen.power = 'crashed' THEN 'The guest crashed.'
            WHEN seen.power = 'stopped' AND v.state IN ('running', 'paused')
              THEN 'Powered off from within the guest or on the host.'
            WHEN seen.power = 'stopped' THEN v.reason END,
          started_at = CASE WHEN seen.power IN ('running', 'paused') THEN coalesce(v.started_at, now()) END
        FROM (
          SELECT mine.id, r.power, coalesce(r.addresses, '[]') AS addresses,
            CASE WHEN r.power IN ('running', 'paused', 'stopped') THEN r.power ELSE 'error' END AS state
          FROM inventory.vms mine LEFT JOIN jsonb_to_recordset(\(encoded)::jsonb)
            AS r (id uuid, power text, addresses jsonb) ON r.id = mine.id
          WHERE mine.host = \(host.uuid) AND mine.desired <> 'deleted'
            AND coalesce(mine.observed_at, mine.created_at) < \(askedAt)::timestamptz
            AND NOT EXISTS (SELECT FROM inventory.operations o WHERE o.resource = mine.id
              AND o.status IN ('pending', 'running'))
        ) seen
        WHERE v.id = seen.id AND (v.state <> seen.state OR v.addresses::jsonb <> seen.addresses)
        """)
    }
  }

  /// Notes that a host gave no report. After a while of silence nothing is known of its VMs; they are not gone.
  func noteSilence(of host: HostID) async throws {
    try await pool.transaction { connection in
      let silent = try connection.execute(
        """
        UPDATE inventory.hosts SET state = CASE state WHEN 'up' THEN 'unreachable' ELSE state END
        WHERE id = \(host.uuid) AND last_report_at < now() - \(Self.silenceSeconds) * interval '1 second'
        """
      ).affected
      guard silent == 1 else { return }
      _ = try connection.execute(
        """
        UPDATE inventory.vms SET state = 'unknown', reason = 'Its host does not answer.'
        WHERE host = \(host.uuid) AND state IN ('running', 'paused', 'stopped') AND NOT EXISTS (
          SELECT FROM inventory.operations o WHERE o.resource = vms.id AND o.status IN ('pending', 'running'))
        """)
    }
  }
}
