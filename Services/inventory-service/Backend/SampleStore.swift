import Foundation
import Models
import Postgres

/// The SQL of what guests did over time. Samples are written with what people consume (``MeterStore``).
struct SampleStore: Sendable {
  let pool: PostgresPool

  /// Seconds of the finest step.
  static let finest = 10

  /// What a guest did since then, in steps.
  /// - Parameter step: Seconds; a multiple of 10. Of a coarse one, the latest part comes from finer ones.
  func samples(of vm: VMID, since: Date, step: Int) async throws -> [VMSample] {
    let source = step % 600 == 0 ? 600 : step % 60 == 0 ? 60 : Self.finest
    return try await pool.rows(
      """
      WITH parts AS (
        SELECT step, greatest(\(since)::timestamptz,
            coalesce((SELECT max(c.until) FROM inventory.sample_steps c WHERE c.step > s.step AND c.step <= \(source)),
              '-infinity')) AS start, CASE WHEN step = \(Self.finest) THEN 'infinity' ELSE until END AS past
        FROM inventory.sample_steps s WHERE step <= \(source)
      )
      SELECT date_bin(\(step) * interval '1 second', s.at, 'epoch') AS at, sum(s.measured)::bigint AS measured,
        max(s.vcpus) AS vcpus, \(Self.sums)
      FROM parts p JOIN inventory.samples s ON s.step = p.step AND s.at >= p.start AND s.at < p.past
      WHERE s.vm = \(vm.uuid) AND s.step <= \(source) AND s.at >= \(since)::timestamptz
      GROUP BY 1 ORDER BY 1
      """
    ) { row in
      let seconds = Double(try row("measured", as: Int64.self)) / 1000
      func rate(_ column: String) throws -> Int64 {
        Int64((Double(try row(column, as: Int64.self)) / seconds).rounded())
      }
      let share = Double(try row("cpu", as: Int64.self)) / 1e4 / seconds / Double(try row("vcpus", as: Int.self))
      return VMSample(
        at: try row("at"), seconds: seconds, cpuPercent: (share * 10).rounded() / 10, mem: try row.optional("mem"),
        memUsed: try row.optional("mem_used"), diskReadBytesPerSecond: try rate("disk_read"),
        diskWrittenBytesPerSecond: try rate("disk_written"), netRxBytesPerSecond: try rate("net_rx"),
        netTxBytesPerSecond: try rate("net_tx"))
    }
  }

  private static let sums: SQL = """
    (max(s.mem))::bigint AS mem, (sum(s.mem_used * s.measured) / nullif(sum(s.measured) FILTER
      (WHERE s.mem_used IS NOT NULL), 0))::bigint AS mem_used, sum(s.cpu)::bigint AS cpu,
    sum(s.disk_read)::bigint AS disk_read, sum(s.disk_written)::bigint AS disk_written, sum(s.net_rx)::bigint AS net_rx,
    sum(s.net_tx)::bigint AS net_tx
    """

  /// Makes coarse samples of fine ones as far as these are complete, and the partitions that will be needed; drops those
  /// that are kept no longer, and events of more than a year ago. Each is a transaction of its own, so that one that cannot
  /// be done, such as while somebody reads for long, holds up none of the others.
  func keep() async throws {
    var failure: (any Error)?
    func attempt(_ body: () async throws -> Void) async { do { try await body() } catch { failure = error } }
    await attempt { try await changePartitions("SELECT inventory.make_sample_partitions()") }
    for step in [60, 600] {
      await attempt { for _ in 1...Self.rounds { guard try await thin(to: step) else { break } } }
    }
    await attempt { try await changePartitions("SELECT inventory.drop_sample_partitions()") }
    await attempt {
      try await pool.execute("DELETE FROM inventory.quota_events WHERE at < now() - interval '1 year'")
    }
    if let failure { throw failure }
  }

  /// How many steps become coarse in one transaction, and how many transactions there are at a time.
  private static let stepsAtOnce = 5
  private static let rounds = 500

  /// Who reads, or does the same, is not waited for long.
  private func changePartitions(_ sql: SQL) async throws {
    try await pool.transaction { connection in
      _ = try connection.execute("SET LOCAL lock_timeout = '2s'")
      _ = try connection.execute("SELECT pg_advisory_xact_lock(hashtextextended('inventory.samples', 0))")
      _ = try connection.execute(sql)
    }
  }

  /// Makes some more samples of a step.
  /// - Returns: Whether there may be yet more; not when somebody else is at it.
  private func thin(to step: Int) async throws -> Bool {
    try await pool.transaction { connection in
      let found = try connection.execute(
        """
        SELECT s.finer, s.until AS start, greatest(s.until, date_bin(\(step) * interval '1 second', least(
            -- What is written now may bear the time of some seconds ago.
            now() - interval '30 seconds', s.until + \(step * Self.stepsAtOnce) * interval '1 second',
            CASE WHEN f.finer IS NULL THEN 'infinity' ELSE f.until END), 'epoch')) AS past
        FROM inventory.sample_steps s JOIN inventory.sample_steps f ON f.step = s.finer
        WHERE s.step = \(step) FOR UPDATE OF s SKIP LOCKED
        """
      ).first { row in
        (
          finer: try row("finer", as: Int.self), start: try row("start", as: Date.self),
          past: try row("past", as: Date.self)
        )
      }
      guard let found, found.start < found.past else { return false }
      _ = try connection.execute(
        """
        INSERT INTO inventory.samples (step, vm, at, measured, vcpus, mem, mem_used, cpu, disk_read, disk_written, net_rx,
          net_tx)
        SELECT \(step), s.vm, date_bin(\(step) * interval '1 second', s.at, 'epoch'), sum(s.measured)::bigint,
          max(s.vcpus), \(Self.sums)
        FROM inventory.samples s
        WHERE s.step = \(found.finer) AND s.at >= \(found.start)::timestamptz AND s.at < \(found.past)::timestamptz
        GROUP BY 2, 3 ON CONFLICT DO NOTHING
        """)
      _ = try connection.execute(
        "UPDATE inventory.sample_steps SET until = \(found.past)::timestamptz WHERE step = \(step)")
      return true
    }
  }
}
