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
  /// that are kept no longer, and events of more than a year ago. Of several replicas one does it.
  /// - Returns: Whether it was this one.
  func keep() async throws -> Bool {
    try await pool.transaction { connection in
      // A partition is made and dropped when nobody reads; who does is not waited for long.
      _ = try connection.execute("SET LOCAL lock_timeout = '5s'")
      let steps = try connection.execute(
        "SELECT step, finer FROM inventory.sample_steps ORDER BY step FOR UPDATE SKIP LOCKED"
      ).map { (step: try $0("step", as: Int.self), finer: try $0.optional("finer", as: Int.self)) }
      guard !steps.isEmpty else { return false }
      _ = try connection.execute("SELECT inventory.make_sample_partitions()")
      for (step, finer) in steps {
        guard let finer else { continue }
        // What is written now may bear the time of some seconds ago.
        _ = try connection.execute(
          """
          WITH span AS (
            SELECT s.until AS start, greatest(s.until, date_bin(\(step) * interval '1 second',
              least(now() - interval '30 seconds', CASE WHEN f.finer IS NULL THEN 'infinity' ELSE f.until END), 'epoch')) AS past
            FROM inventory.sample_steps s JOIN inventory.sample_steps f ON f.step = s.finer WHERE s.step = \(step)
          ), moved AS (
            UPDATE inventory.sample_steps SET until = span.past FROM span WHERE step = \(step)
          )
          INSERT INTO inventory.samples (step, vm, at, measured, vcpus, mem, mem_used, cpu, disk_read, disk_written, net_rx,
            net_tx)
          SELECT \(step), s.vm, date_bin(\(step) * interval '1 second', s.at, 'epoch'), sum(s.measured)::bigint,
            max(s.vcpus), \(Self.sums)
          FROM span JOIN inventory.samples s ON s.at >= span.start AND s.at < span.past
          WHERE s.step = \(finer) GROUP BY 2, 3 ON CONFLICT DO NOTHING
          """)
      }
      _ = try connection.execute("SELECT inventory.drop_sample_partitions()")
      _ = try connection.execute("DELETE FROM inventory.quota_events WHERE at < now() - interval '1 year'")
      return true
    }
  }
}
