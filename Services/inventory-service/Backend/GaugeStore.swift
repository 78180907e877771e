import Postgres
import ServiceKit

/// What there is, counted for Prometheus. All replicas tell the same.
struct GaugeStore: Sendable {
  let pool: PostgresPool

  func read() async throws -> [MetricFamily] {
    try await pool.withConnection { connection in
      try Self.hosts(with: connection)
        + [
          MetricFamily(
            "iaas_vms", .gauge, "Virtual machines by state.",
            try Self.count(
              "SELECT state AS label, count(*) AS number FROM inventory.vms GROUP BY 1", "state", connection)),
          MetricFamily(
            "iaas_vms_busy", .gauge,
            "Virtual machines that use nearly all the processor time that they can, by for how long.",
            try Self.count(
              """
              SELECT CASE WHEN busy_since < now() - interval '10 minutes' THEN 'over 10 minutes' ELSE 'less' END AS label,
                count(*) AS number FROM inventory.vms WHERE busy_since IS NOT NULL GROUP BY 1
              """, "time", connection)),
          MetricFamily(
            "iaas_images", .gauge, "Images by state.",
            try Self.count(
              "SELECT state AS label, count(*) AS number FROM inventory.images WHERE deleted_at IS NULL GROUP BY 1",
              "state", connection)),
          MetricFamily(
            "iaas_operations_active", .gauge, "Operations that have not ended, by kind.",
            try Self.count(
              """
              SELECT kind AS label, count(*) AS number FROM inventory.operations
              WHERE status IN ('pending', 'running') GROUP BY 1
              """, "kind", connection)),
          MetricFamily(
            "iaas_operation_oldest_seconds", .gauge, "Age of the oldest operation that has not ended.",
            try connection.execute(
              """
              SELECT coalesce(extract(epoch FROM now() - min(created_at)), 0)::float8 AS number FROM inventory.operations
              WHERE status IN ('pending', 'running')
              """
            ).map { MetricFamily.Sample([], try $0("number", as: Double.self)) }),
        ]
    }
  }

  private static func count(
    _ sql: SQL, _ label: String, _ connection: isolated PostgresConnection
  ) throws -> [MetricFamily.Sample] {
    try connection.execute(sql).map { row in
      MetricFamily.Sample([(label, try row("label"))], Double(try row("number", as: Int64.self)))
    }
  }

  /// Columns of a host, with the metrics that they become.
  private static let columns: [(name: String, column: String, help: String)] = [
    ("iaas_host_cpus", "cpus", "Processors of a host."),
    ("iaas_host_cpus_allocated", "cpus_allocated", "Virtual processors that are promised on a host."),
    ("iaas_host_memory_bytes", "mem_bytes", "Memory of a host."),
    ("iaas_host_memory_allocated_bytes", "mem_allocated_bytes", "Memory that is promised on a host."),
    ("iaas_host_disk_bytes", "disk_bytes", "Size of the file system of a host's disks."),
    ("iaas_host_disk_allocated_bytes", "disk_allocated_bytes", "Size of the disks that are promised on a host."),
    ("iaas_host_report_age_seconds", "age", "Time since the host's last report."),
  ]

  private static func hosts(with connection: isolated PostgresConnection) throws -> [MetricFamily] {
    let rows = try connection.execute(
      """
      SELECT addr, state, cpus::float8 AS cpus, cpus_allocated::float8 AS cpus_allocated, mem * 1048576.0::float8 AS mem_bytes,
        mem_allocated * 1048576.0::float8 AS mem_allocated_bytes, disk * 1073741824.0::float8 AS disk_bytes,
        disk_allocated * 1073741824.0::float8 AS disk_allocated_bytes,
        extract(epoch FROM now() - coalesce(last_report_at, created_at))::float8 AS age
      FROM inventory.hosts ORDER BY addr
      """
    ).map { row in
      (
        addr: try row("addr", as: String.self), state: try row("state", as: String.self),
        values: try columns.map { try row($0.column, as: Double.self) }
      )
    }
    let numbers = columns.indices.map { index in
      MetricFamily(
        columns[index].name, .gauge, columns[index].help,
        rows.map { MetricFamily.Sample([("host", $0.addr)], $0.values[index]) })
    }
    let states = MetricFamily(
      "iaas_host_state", .gauge, "1 for the state that a host is in.",
      rows.map { MetricFamily.Sample([("host", $0.addr), ("state", $0.state)], 1) })
    return numbers + [states]
  }
}
