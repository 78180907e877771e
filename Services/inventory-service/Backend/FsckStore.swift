import Foundation
import Models
import Persistence
import Postgres

/// A VM's row, as far as it can be compared with what a host says.
struct FsckVM: Sendable {
  let id: VMID
  let host: HostID
  let movingTo: HostID?
  let state: VMState
  let generation: Int64
  /// Whether something is being done to it.
  let isBusy: Bool
}

/// What the database says, and what is wrong in it.
struct FsckState: Sendable {
  var vms: [FsckVM]
  /// The images that VMs are being saved as.
  var saving: Set<ImageID>
  var violations: [Violation]
}

/// The images whose files there should be.
struct FsckFiles: Sendable {
  struct Image: Sendable {
    let id: ImageID
    let size: Int64
    let sha256: String
  }

  var available: [Image]
  var known: Set<ImageID>
  var staged: Set<StagedName>
}

/// The SQL by which the database is compared with itself, and the repairs that lose nothing.
struct FsckStore: Sendable {
  let pool: PostgresPool

  /// Each finds what breaks a promise: the columns are a subject and a problem.
  private static let checks: [(Invariant, SQL)] = [
    (
      .reservationsMatch,
      """
      SELECT 'host ' || h.id AS subject, format('has %s vCPUs, %s MiB and %s GiB promised, and its VMs have %s, %s and %s',
        h.cpus_allocated, h.mem_allocated, h.disk_allocated, s.vcpus, s.mem, s.disk) AS problem
      FROM inventory.hosts h, LATERAL (
        SELECT coalesce(sum(v.vcpus), 0) AS vcpus, coalesce(sum(v.mem), 0) AS mem, coalesce(sum(v.disk), 0) AS disk
        FROM inventory.vms v WHERE v.host = h.id OR v.moving_to = h.id) s
      WHERE (h.cpus_allocated, h.mem_allocated, h.disk_allocated) <> (s.vcpus, s.mem, s.disk)
      """
    ),
    (
      .reservationsMatch,
      """
      SELECT 'host ' || h.id AS subject, 'has more promised than it has' AS problem FROM inventory.hosts h
      WHERE h.cpus_allocated > h.cpus * h.cpu_overcommit OR h.mem_allocated > h.mem * h.mem_overcommit
        OR h.disk_allocated > h.disk * h.disk_overcommit
      """
    ),
    (
      .usageMatches,
      """
      SELECT 'list ' || c.collection AS subject, format('counts %s, and has %s', c.number, r.number) AS problem
      FROM (SELECT collection, sum(number) AS number FROM inventory.counts GROUP BY collection) c JOIN (
        SELECT 'vms' AS collection, count(*) AS number FROM inventory.vms UNION ALL
        SELECT 'images', count(*) FROM inventory.images WHERE deleted_at IS NULL) r USING (collection)
      WHERE c.number <> r.number
      """
    ),
    (
      .permissionsAreLive,
      """
      SELECT p.type || ' ' || p.resource AS subject, format('is not there, and user %s has a permission on it', p.user_id)
        AS problem
      FROM inventory.permissions p WHERE NOT EXISTS (SELECT FROM inventory.vms v WHERE v.id = p.resource)
        AND NOT EXISTS (SELECT FROM inventory.images i WHERE i.id = p.resource AND i.deleted_at IS NULL)
      """
    ),
    (
      .permissionsAreLive,
      """
      SELECT r.type || ' ' || r.id AS subject, 'has no owner who may do everything with it' AS problem
      FROM (SELECT 'vm' AS type, id, owner FROM inventory.vms WHERE desired <> 'deleted' UNION ALL
        SELECT 'image', id, owner FROM inventory.images WHERE deleted_at IS NULL) r
      WHERE NOT EXISTS (SELECT FROM inventory.permissions p WHERE p.resource = r.id AND p.user_id = r.owner
        AND p.role = 'owner' AND p.expires_at IS NULL)
      """
    ),
    (
      .requestsHaveOneEffect,
      """
      SELECT 'request ' || key AS subject, 'was taken and not answered' AS problem FROM inventory.idempotency
      WHERE answer IS NULL
      """
    ),
    (
      .operationsEnd,
      """
      SELECT 'operation ' || id AS subject, 'is past its deadline' AS problem FROM inventory.operations
      WHERE status IN ('pending', 'running') AND deadline_at < now() - interval '1 minute'
      """
    ),
    (
      .operationsEnd,
      """
      SELECT 'vm ' || id AS subject, format('is %s, and nothing is being done to it', state) AS problem
      FROM inventory.vms v WHERE (state IN ('creating', 'starting', 'stopping', 'deleting') OR moving_to IS NOT NULL)
        AND NOT EXISTS (SELECT FROM inventory.operations o WHERE o.resource = v.id AND o.status IN ('pending', 'running'))
      """
    ),
    (
      .operationsEnd,
      """
      SELECT 'vm ' || v.id AS subject, 'is to be removed, and nothing is being done to it' AS problem
      FROM inventory.vms v JOIN inventory.hosts h ON h.id = v.host WHERE v.desired = 'deleted' AND v.state <> 'deleting'
        AND h.reachable
        AND NOT EXISTS (SELECT FROM inventory.operations o WHERE o.resource = v.id AND o.status IN ('pending', 'running'))
      """
    ),
    (
      .operationsEnd,
      """
      SELECT 'image ' || id AS subject, 'is importing, and nothing is being done to it' AS problem
      FROM inventory.images i WHERE state = 'importing' AND deleted_at IS NULL
        AND (url IS NOT NULL OR capture IS NOT NULL)
        AND NOT EXISTS (SELECT FROM inventory.operations o WHERE o.resource = i.id AND o.status IN ('pending', 'running'))
      """
    ),
    (
      .operationsEnd,
      """
      SELECT 'host ' || id AS subject, 'is being removed, and nothing is being done to it' AS problem
      FROM inventory.hosts h WHERE wanted = 'removing'
        AND NOT EXISTS (SELECT FROM inventory.operations o WHERE o.resource = h.id AND o.status IN ('pending', 'running'))
      """
    ),
    (
      .nothingOvertaken,
      """
      SELECT 'vm ' || id AS subject, 'was seen with a generation that it does not have' AS problem
      FROM inventory.vms WHERE observed_generation > generation
      """
    ),
  ]

  /// All from one snapshot of the database.
  func load() async throws -> FsckState {
    try await pool.transaction { connection in
      _ = try connection.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ, READ ONLY")
      let vms = try connection.execute(
        """
        SELECT v.id, v.host, v.moving_to, v.state, v.generation, EXISTS (SELECT FROM inventory.operations o
          WHERE o.resource = v.id AND o.status IN ('pending', 'running')) AS busy FROM inventory.vms v
        """
      ).map { row in
        FsckVM(
          id: VMID(try row("id")), host: HostID(try row("host")),
          movingTo: try row.optional("moving_to", as: UUID.self).map { HostID($0) }, state: try row.wire("state"),
          generation: try row("generation"), isBusy: try row("busy"))
      }
      var violations: [Violation] = []
      for (invariant, query) in Self.checks {
        violations += try connection.execute("\(query) ORDER BY 1, 2").map { row in
          Violation(invariant: invariant, subject: try row("subject"), problem: try row("problem"))
        }
      }
      let saving = try connection.execute(
        "SELECT id FROM inventory.images WHERE capture IS NOT NULL AND state = 'importing' AND deleted_at IS NULL"
      ).map { ImageID(try $0("id", as: UUID.self)) }
      return FsckState(vms: vms, saving: Set(saving), violations: violations)
    }
  }

  /// The hosts that should answer.
  func links() async throws -> [HostLink] {
    try await pool.rows(
      """
      SELECT id, addr, certificate, sealed_secret, generation FROM inventory.hosts
      WHERE wanted <> 'dead' OR reachable ORDER BY id
      """, HostStore.link)
  }

  func users() async throws -> [UserID] {
    try await pool.rows("SELECT DISTINCT user_id FROM inventory.permissions ORDER BY user_id") {
      UserID(try $0("user_id", as: UUID.self))
    }
  }

  func files() async throws -> FsckFiles {
    try await pool.withConnection { connection in
      let available = try connection.execute(
        "SELECT id, size, sha256 FROM inventory.images WHERE state = 'available' ORDER BY id"
      ).map { FsckFiles.Image(id: ImageID(try $0("id")), size: try $0("size"), sha256: try $0("sha256")) }
      let known = try connection.execute("SELECT id FROM inventory.images").map { ImageID(try $0("id", as: UUID.self)) }
      let staged = try connection.execute(
        """
        SELECT o.resource, epochs.epoch FROM inventory.operations o JOIN inventory.images i ON i.id = o.resource,
          LATERAL (VALUES (o.epoch), (i.staged)) AS epochs (epoch)
        WHERE o.status IN ('pending', 'running') AND epochs.epoch IS NOT NULL
        """
      ).map { StagedName(image: ImageID(try $0("resource")), epoch: try $0("epoch")) }
      return FsckFiles(available: available, known: Set(known), staged: Set(staged))
    }
  }

  /// Brings into line what can be derived from the rest. Nothing that people made is removed.
  func repair() async throws {
    try await pool.transaction { connection in
      let statements: [SQL] = [
        "LOCK TABLE inventory.vms, inventory.images, inventory.hosts IN SHARE ROW EXCLUSIVE MODE",
        """
        UPDATE inventory.hosts h SET cpus_allocated = s.vcpus, mem_allocated = s.mem, disk_allocated = s.disk
        FROM (SELECT h.id, coalesce(sum(v.vcpus), 0) AS vcpus, coalesce(sum(v.mem), 0) AS mem,
            coalesce(sum(v.disk), 0) AS disk
          FROM inventory.hosts h LEFT JOIN inventory.vms v ON h.id IN (v.host, v.moving_to) GROUP BY h.id) s
        WHERE s.id = h.id AND (h.cpus_allocated, h.mem_allocated, h.disk_allocated) <> (s.vcpus, s.mem, s.disk)
        """,
        "DELETE FROM inventory.counts WHERE collection IN ('vms', 'images')",
        """
        INSERT INTO inventory.counts SELECT 'vms', 0, count(*) FROM inventory.vms UNION ALL
          SELECT 'images', 0, count(*) FROM inventory.images WHERE deleted_at IS NULL
        """,
        """
        DELETE FROM inventory.permissions p WHERE NOT EXISTS (SELECT FROM inventory.vms v WHERE v.id = p.resource)
          AND NOT EXISTS (SELECT FROM inventory.images i WHERE i.id = p.resource AND i.deleted_at IS NULL)
        """,
        """
        INSERT INTO inventory.permissions (user_id, resource, type, role)
        SELECT owner, id, type, 'owner' FROM (
          SELECT 'vm' AS type, id, owner FROM inventory.vms WHERE desired <> 'deleted' UNION ALL
          SELECT 'image', id, owner FROM inventory.images WHERE deleted_at IS NULL) r
        ON CONFLICT (user_id, resource) DO UPDATE SET role = 'owner', expires_at = NULL
          WHERE permissions.role <> 'owner' OR permissions.expires_at IS NOT NULL
        """,
        // The next report says what they are, and takes up a removal again.
        """
        UPDATE inventory.vms v SET state = 'unknown', stale = true, reason = 'Its host is being asked.'
        WHERE state IN ('creating', 'starting', 'stopping', 'deleting') AND NOT EXISTS (
          SELECT FROM inventory.operations o WHERE o.resource = v.id AND o.status IN ('pending', 'running'))
        """,
        """
        UPDATE inventory.images i SET state = 'error', error_code = 'internal_error',
          error_message = 'Its import was lost; remove it and add it again.'
        WHERE state = 'importing' AND deleted_at IS NULL AND (url IS NOT NULL OR capture IS NOT NULL) AND NOT EXISTS (
          SELECT FROM inventory.operations o WHERE o.resource = i.id AND o.status IN ('pending', 'running'))
        """,
        """
        UPDATE inventory.hosts h SET wanted = 'maintenance' WHERE wanted = 'removing' AND NOT EXISTS (
          SELECT FROM inventory.operations o WHERE o.resource = h.id AND o.status IN ('pending', 'running'))
        """,
      ]
      for statement in statements { _ = try connection.execute(statement) }
    }
  }
}
