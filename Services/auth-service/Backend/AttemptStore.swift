import Foundation
import Postgres

/// The SQL of attempts, each counted in one statement.
struct AttemptStore: Sendable {
  let pool: PostgresPool

  /// Seconds after which an old failure is forgotten, and the first and the longest wait.
  private static let memory = 3600
  private static let firstWait = 5
  private static let longestWait = 900

  /// Counts an attempt, unless attempts are blocked just now. From the limit on, each blocks the next ones for twice as long
  /// as the one before did.
  /// - Returns: Seconds to wait; 0 when the attempt may be made.
  func begin(_ key: String, limit: Int) async throws -> Double {
    // Below the limit nothing is blocked: the end of the last wait stays, however many statements wait for the row.
    let counted = try await pool.execute(
      """
      INSERT INTO auth.attempts AS a (key, failures, blocked_until)
      VALUES (\(key), 1, CASE WHEN 1 < \(limit) THEN '-infinity' ELSE now() + \(Self.firstWait) * interval '1 second' END)
      ON CONFLICT (key) DO UPDATE SET last_at = now(),
        failures = CASE WHEN a.last_at < now() - \(Self.memory) * interval '1 second' THEN 1 ELSE a.failures + 1 END,
        blocked_until = CASE
          WHEN a.last_at < now() - \(Self.memory) * interval '1 second' OR a.failures + 1 < \(limit) THEN a.blocked_until
          ELSE now() + least(\(Self.firstWait) * 2 ^ least(a.failures + 1 - \(limit), 20), \(Self.longestWait))
            * interval '1 second' END
      WHERE a.blocked_until <= now()
      """)
    guard counted == 0 else { return 0 }
    return try await pool.first(
      "SELECT extract(epoch FROM blocked_until - now())::float8 AS seconds FROM auth.attempts WHERE key = \(key)"
    ) { max(try $0("seconds", as: Double.self), 0.001) } ?? 0.001
  }

  func forget(_ key: String) async throws { try await pool.execute("DELETE FROM auth.attempts WHERE key = \(key)") }

  /// Takes back one attempt that was none.
  func refund(_ key: String) async throws {
    try await pool.execute(
      "UPDATE auth.attempts SET failures = greatest(failures - 1, 0) WHERE key = \(key)")
  }

  func sweep() async throws {
    try await pool.execute(
      "DELETE FROM auth.attempts WHERE last_at < now() - \(Self.memory) * interval '1 second' AND blocked_until < now()"
    )
  }
}
