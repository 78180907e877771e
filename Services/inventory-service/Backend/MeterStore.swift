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
      _ = try connection.execute(
        """
        WITH grown AS (
          SELECT n.vm, v.owner, n.run, n.cpu_us, n.disk_read, n.disk_written, n.net_rx, n.net_tx,
            inventory.growth(o.cpu, n.cpu_us, o.run = n.run) AS cpu_grown,
            coalesce(n.mem, 0) * CASE WHEN o.run = n.run THEN \(metering.uptime) - o.uptime
              ELSE least(\(elapsed), (extract(epoch FROM now() - v.started_at) * 1000)::bigint) END AS mem_grown,
            inventory.growth(o.disk_read, n.disk_read, o.run = n.run) AS disk_read_grown,
            inventory.growth(o.disk_written, n.disk_written, o.run = n.run) AS disk_written_grown,
            inventory.growth(o.net_rx, n.net_rx, o.run = n.run) AS net_rx_grown,
            inventory.growth(o.net_tx, n.net_tx, o.run = n.run) AS net_tx_grown
          FROM (SELECT (m ->> 'vm')::uuid AS vm, m ->> 'run' AS run, (m ->> 'cpuMicroseconds')::bigint AS cpu_us,
              (m ->> 'mem')::bigint AS mem, (m ->> 'diskReadBytes')::bigint AS disk_read,
              (m ->> 'diskWrittenBytes')::bigint AS disk_written, (m ->> 'netRxBytes')::bigint AS net_rx,
              (m ->> 'netTxBytes')::bigint AS net_tx FROM jsonb_array_elements(\(meters)::jsonb) AS m) n
            JOIN inventory.vms v ON v.id = n.vm AND v.host = \(host.uuid)
            LEFT JOIN inventory.meters o ON o.vm = n.vm
        ), noted AS (
          INSERT INTO inventory.meters AS o (vm, run, uptime, cpu, disk_read, disk_written, net_rx, net_tx)
          SELECT vm, run, \(metering.uptime), cpu_us, disk_read, disk_written, net_rx, net_tx FROM grown
          ON CONFLICT (vm) DO UPDATE SET run = excluded.run, uptime = excluded.uptime,
            cpu = coalesce(excluded.cpu, CASE WHEN o.run = excluded.run THEN o.cpu END),
            disk_read = coalesce(excluded.disk_read, CASE WHEN o.run = excluded.run THEN o.disk_read END),
            disk_written = coalesce(excluded.disk_written, CASE WHEN o.run = excluded.run THEN o.disk_written END),
            net_rx = coalesce(excluded.net_rx, CASE WHEN o.run = excluded.run THEN o.net_rx END),
            net_tx = coalesce(excluded.net_tx, CASE WHEN o.run = excluded.run THEN o.net_tx END)
        )
        INSERT INTO inventory.consumption AS c (owner, month, cpu, mem, disk_read, disk_written, net_rx, net_tx)
        SELECT owner, \(Self.thisMonth), sum(cpu_grown), sum(mem_grown), sum(disk_read_grown), sum(disk_written_grown),
          sum(net_rx_grown), sum(net_tx_grown)
        FROM grown WHERE \(before.isKnown) GROUP BY owner ORDER BY owner
        ON CONFLICT (owner, month) DO UPDATE SET cpu = c.cpu + excluded.cpu, mem = c.mem + excluded.mem,
          disk_read = c.disk_read + excluded.disk_read, disk_written = c.disk_written + excluded.disk_written,
          net_rx = c.net_rx + excluded.net_rx, net_tx = c.net_tx + excluded.net_tx
        """)
    }
  }

  static let thisMonth: SQL = "date_trunc('month', now() AT TIME ZONE 'UTC')::date"
}
