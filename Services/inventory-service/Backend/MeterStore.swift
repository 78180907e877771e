import Foundation
import Models
import Postgres

/// The SQL of what people consume: the growth of their VMs' counters, added to their month.
struct MeterStore: Sendable {
  let pool: PostgresPool

  /// Counts what the VMs of a host have used since the reading before. The same reading counts once, and one that is
  /// earlier than the last not at all; what a reading that was lost would have told is in the next one. The first of a
  /// host is where counting begins.
  /// - Parameter askedAt: When the report was asked for, by the database's clock.
  func store(_ metering: Metering, from host: HostID, askedAt: Date) async throws {
    let meters = try JSONText.encode(metering.meters)
    try await pool.transaction { connection in
      let before = try connection.execute(
        """
        SELECT metered_uptime, metered_boot IS NOT NULL AS is_known, metered_boot = \(metering.bootID) AS is_same_boot
        FROM inventory.hosts
        WHERE id = \(host.uuid) AND coalesce(metered_asked_at, '-infinity') < \(askedAt)::timestamptz
          AND (metered_boot IS DISTINCT FROM \(metering.bootID) OR metered_uptime < \(metering.uptime))
        FOR UPDATE
        """
      ).first { row in
        let isSameBoot = try row.optional("is_same_boot", as: Bool.self) ?? false
        return (
          uptime: isSameBoot ? try row.optional("metered_uptime", as: Int64.self) : nil,
          isKnown: try row("is_known", as: Bool.self)
        )
      }
      guard let before else { return }
      _ = try connection.execute(
        """
        UPDATE inventory.hosts SET metered_boot = \(metering.bootID), metered_uptime = \(metering.uptime),
          metered_asked_at = \(askedAt)::timestamptz WHERE id = \(host.uuid)
        """)
      // A guest that was started since the reading before has had its memory for no longer than that is ago.
      let elapsed = before.uptime.map { metering.uptime - $0 } ?? 0
      _ = try connection.execute(Self.count(metering, meters, of: host, elapsed: elapsed, isKnown: before.isKnown))
    }
  }

  /// Adds what has grown to the owners' month and to the samples, and notes who came near a limit and which guests are busy.
  ///
  /// A VM that something is done to at this moment is marked as busy, or as idle, by a later reading: its row is not waited
  /// for, since who holds it may wait for this host's.
  private static func count(
    _ metering: Metering, _ meters: String, of host: HostID, elapsed: Int64, isKnown: Bool
  ) -> SQL {
    """
    WITH read AS (
      SELECT (m ->> 'vm')::uuid AS vm, m ->> 'run' AS run, (m ->> 'cpuMicroseconds')::bigint AS cpu,
        (m ->> 'mem')::bigint AS mem, (m ->> 'memUsed')::bigint AS mem_used, (m ->> 'diskReadBytes')::bigint AS disk_read,
        (m ->> 'diskWrittenBytes')::bigint AS disk_written, (m ->> 'netRxBytes')::bigint AS net_rx,
        (m ->> 'netTxBytes')::bigint AS net_tx
      FROM jsonb_array_elements(\(meters)::jsonb) AS m
    ), grown AS (
      SELECT n.vm, v.owner, v.vcpus, v.vcpus * coalesce((v.caps ->> 'cpuShare')::integer, 100) / 100.0 AS processors, n.mem,
        n.mem_used, n.cpu IS NOT NULL AS is_complete, CASE WHEN o.run = n.run THEN \(metering.uptime) - o.uptime
          ELSE greatest(0, least(\(elapsed), (extract(epoch FROM now() - v.started_at) * 1000)::bigint)) END AS measured,
        inventory.growth(o.cpu, n.cpu, o.run = n.run) AS cpu,
        inventory.growth(o.disk_read, n.disk_read, o.run = n.run) AS disk_read,
        inventory.growth(o.disk_written, n.disk_written, o.run = n.run) AS disk_written,
        inventory.growth(o.net_rx, n.net_rx, o.run = n.run) AS net_rx,
        inventory.growth(o.net_tx, n.net_tx, o.run = n.run) AS net_tx
      FROM read n JOIN inventory.vms v ON v.id = n.vm AND v.host = \(host.uuid) LEFT JOIN inventory.meters o ON o.vm = n.vm
    ), noted AS (
      INSERT INTO inventory.meters AS o (vm, run, uptime, cpu, disk_read, disk_written, net_rx, net_tx)
      SELECT n.vm, n.run, \(metering.uptime), n.cpu, n.disk_read, n.disk_written, n.net_rx, n.net_tx
      FROM read n JOIN grown USING (vm)
      ON CONFLICT (vm) DO UPDATE SET run = excluded.run, uptime = excluded.uptime,
        cpu = coalesce(excluded.cpu, CASE WHEN o.run = excluded.run THEN o.cpu END),
        disk_read = coalesce(excluded.disk_read, CASE WHEN o.run = excluded.run THEN o.disk_read END),
        disk_written = coalesce(excluded.disk_written, CASE WHEN o.run = excluded.run THEN o.disk_written END),
        net_rx = coalesce(excluded.net_rx, CASE WHEN o.run = excluded.run THEN o.net_rx END),
        net_tx = coalesce(excluded.net_tx, CASE WHEN o.run = excluded.run THEN o.net_tx END)
    ), marked AS (
      UPDATE inventory.vms v SET busy_since = m.since FROM (
        SELECT v.id, CASE WHEN b.vm IS NOT NULL THEN now() - b.measured * interval '1 ms' END AS since
        FROM inventory.vms v LEFT JOIN grown g ON g.vm = v.id LEFT JOIN grown b ON b.vm = v.id AND b.measured > 0
          AND b.cpu >= \(busyShare) * b.processors * b.measured * 1000
        WHERE v.host = \(host.uuid) AND (v.busy_since IS NULL) = (b.vm IS NOT NULL)
          AND coalesce(g.is_complete AND g.measured > 0, true)
        FOR UPDATE OF v SKIP LOCKED
      ) m WHERE v.id = m.id
    ), sampled AS (
      INSERT INTO inventory.samples AS s (step, vm, at, measured, vcpus, mem, mem_used, cpu, disk_read, disk_written,
        net_rx, net_tx)
      SELECT \(SampleStore.finest), vm, date_bin(\(SampleStore.finest) * interval '1 second', now(), 'epoch'), measured,
        vcpus, mem, mem_used, cpu, disk_read, disk_written, net_rx, net_tx
      FROM grown WHERE \(isKnown) AND measured > 0 AND inventory.takes_samples()
      ON CONFLICT (step, vm, at) DO UPDATE SET measured = s.measured + excluded.measured, mem = excluded.mem,
        mem_used = excluded.mem_used, cpu = s.cpu + excluded.cpu, disk_read = s.disk_read + excluded.disk_read,
        disk_written = s.disk_written + excluded.disk_written, net_rx = s.net_rx + excluded.net_rx,
        net_tx = s.net_tx + excluded.net_tx
    ), more AS (
      SELECT owner, sum(cpu)::bigint AS cpu, sum(coalesce(mem, 0) * measured)::bigint AS mem,
        sum(disk_read)::bigint AS disk_read, sum(disk_written)::bigint AS disk_written, sum(net_rx)::bigint AS net_rx,
        sum(net_tx)::bigint AS net_tx
      FROM grown WHERE \(isKnown) GROUP BY owner
    ), consumed AS (
      INSERT INTO inventory.consumption AS c (owner, month, cpu, mem, disk_read, disk_written, net_rx, net_tx)
      SELECT owner, \(thisMonth), cpu, mem, disk_read, disk_written, net_rx, net_tx FROM more ORDER BY owner
      ON CONFLICT (owner, month) DO UPDATE SET cpu = c.cpu + excluded.cpu, mem = c.mem + excluded.mem,
        disk_read = c.disk_read + excluded.disk_read, disk_written = c.disk_written + excluded.disk_written,
        net_rx = c.net_rx + excluded.net_rx, net_tx = c.net_tx + excluded.net_tx
      RETURNING c.*
    )
    INSERT INTO inventory.quota_events (owner, resource, level, used, quota)
    SELECT c.owner, r.resource, l.level, r.after, q.quota
    FROM consumed c JOIN more m USING (owner) JOIN inventory.accounts a USING (owner)
      CROSS JOIN LATERAL (VALUES
        ('cpuSeconds', (c.cpu - m.cpu) / 1000000, c.cpu / 1000000),
        ('memMiBHours', (c.mem - m.mem) / 3600000, c.mem / 3600000),
        ('diskReadBytes', c.disk_read - m.disk_read, c.disk_read),
        ('diskWrittenBytes', c.disk_written - m.disk_written, c.disk_written),
        ('netRxBytes', c.net_rx - m.net_rx, c.net_rx),
        ('netTxBytes', c.net_tx - m.net_tx, c.net_tx)) AS r (resource, before, after)
      CROSS JOIN LATERAL (SELECT (a.limits ->> r.resource)::bigint AS quota) q
      CROSS JOIN (VALUES (80), (100)) AS l (level)
    WHERE q.quota > 0 AND r.before < q.quota * (l.level / 100.0) AND r.after >= q.quota * (l.level / 100.0)
    """
  }

  /// Of the processor time that a guest can use, from which on it is busy.
  private static let busyShare: SQL = "0.9"

  static let thisMonth: SQL = "date_trunc('month', now() AT TIME ZONE 'UTC')::date"
}
