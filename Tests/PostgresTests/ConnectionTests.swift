import Foundation
import Postgres
import TestSupport
import Testing

@Suite(.timeLimit(.minutes(5))) struct ConnectionTests {
  @Test func typesComeBackAsTheyWent() async throws {
    try await TestDatabase.with { pool, _ in
      let (id, date, data) = (UUID(), Date(timeIntervalSince1970: 1_700_000_000.125), Data([0, 1, 255]))
      let text = "quote ' backslash \\ ümlaut"
      let same = try await pool.first(
        """
        SELECT \(id)::uuid AS id, \(date)::timestamptz AS date, \(data)::bytea AS data, \(text)::text AS text,
          \(-5)::bigint AS number, \(true)::boolean AS flag, \(1.5)::float8 AS double, NULL::text AS nothing,
          ARRAY['a,b', 'c'] = \(["a,b", "c"])::text[] AS list
        """
      ) { row in
        let values: (UUID, Date, Data, String) = (try row("id"), try row("date"), try row("data"), try row("text"))
        let number: Int = try row("number")
        let (flag, list): (Bool, Bool) = (try row("flag"), try row("list"))
        let double: Double = try row("double")
        let nothing: String? = try row.optional("nothing")
        return values == (id, date, data, text) && number == -5 && flag && list && double == 1.5 && nothing == nil
      }
      #expect(same == true)
    }
  }

  @Test func aFailedTransactionLeavesNothing() async throws {
    try await TestDatabase.with { pool, _ in
      try await pool.execute("CREATE TABLE t (n bigint CONSTRAINT t_positive CHECK (n > 0))")
      let error = await #expect(throws: PostgresError.self) {
        try await pool.transaction { connection in
          _ = try connection.execute("INSERT INTO t VALUES (\(1))")
          _ = try connection.execute("INSERT INTO t VALUES (\(-1))")
        }
      }
      #expect(error?.sqlState == "23514" && error?.constraint == "t_positive")
      #expect(try await pool.first("SELECT count(*) AS n FROM t") { try $0("n", as: Int.self) } == 0)
    }
  }

  @Test func aConnectionThatIsLostInATransactionIsAnErrorOnceAndThenANewOne() async throws {
    try await TestDatabase.with { _, conninfo in
      let pool = PostgresPool(conninfo: conninfo, size: 1)
      let error = await #expect(throws: PostgresError.self) {
        try await pool.transaction { connection in
          _ = try? connection.execute("SELECT pg_terminate_backend(pg_backend_pid())")
          // What was begun is gone: nothing of the rest is done on another connection.
          _ = try connection.execute("SELECT 1")
        }
      }
      #expect(error?.isUnavailable == true && error?.isInDoubt == false)
      let rows = try await pool.execute("SELECT 1")
      #expect(rows == 1)
    }
  }

  @Test func manyTasksShareFewConnections() async throws {
    try await TestDatabase.with { _, conninfo in
      let pool = PostgresPool(conninfo: conninfo, size: 3)
      try await pool.execute("CREATE TABLE t (n bigint)")
      try await pool.execute("INSERT INTO t VALUES (0)")
      try await withThrowingTaskGroup(of: Void.self) { group in
        for _ in 0..<100 { group.addTask { try await pool.execute("UPDATE t SET n = n + 1") } }
        try await group.waitForAll()
      }
      #expect(try await pool.first("SELECT n FROM t") { try $0("n", as: Int.self) } == 100)
    }
  }

  @Test func aServerThatIsAwayIsToldAsSuch() async throws {
    let pool = PostgresPool(conninfo: "host=/nonexistent dbname=none", size: 1)
    let error = await #expect(throws: PostgresError.self) { try await pool.execute("SELECT 1") }
    #expect(error?.isUnavailable == true && error?.sqlState == nil)
  }

  /// A connection that the server ended while nobody used it is not lent.
  @Test func idleConnectionsThatEndedAreOpenedAnew() async throws {
    try await TestDatabase.with { pool, conninfo in
      let other = PostgresPool(conninfo: conninfo, size: 4)
      for _ in 0..<3 {
        let pids = try await withThrowingTaskGroup(of: Int.self) { group in
          for _ in 0..<4 {
            group.addTask {
              try await other.first("SELECT pg_backend_pid()::bigint AS pid, pg_sleep(0.05)::text") { try $0("pid") }
                ?? 0
            }
          }
          return try await group.reduce(into: [Int]()) { $0.append($1) }
        }
        for pid in Set(pids) {
          try await pool.execute("SELECT pg_terminate_backend(\(pid)::integer, 5000)")
        }
        for _ in 0..<4 {
          #expect(try await other.first("SELECT 1::bigint AS one") { try $0("one", as: Int.self) } == 1)
        }
      }
    }
  }

  @Test func aCommitThatWasCutIsInDoubt() async throws {
    try await TestDatabase.with { pool, _ in
      try await pool.withConnection { connection in
        try connection.executeScript(
          """
          CREATE TABLE t (n bigint);
          CREATE FUNCTION f() RETURNS trigger LANGUAGE plpgsql AS
            $$ BEGIN PERFORM pg_terminate_backend(pg_backend_pid()); RETURN NULL; END $$;
          CREATE CONSTRAINT TRIGGER t AFTER INSERT ON t DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION f();
          """)
      }
      let error = await #expect(throws: PostgresError.self) {
        try await pool.transaction { _ = try $0.execute("INSERT INTO t VALUES (1)") }
      }
      #expect(error?.isInDoubt == true && error?.isUnavailable == true)
    }
  }

  @Test func notificationsArrive() async throws {
    try await TestDatabase.with { pool, conninfo in
      let listener = PostgresConnection(conninfo: conninfo)
      try await listener.executeScript("LISTEN news")
      #expect(try await listener.waitForNotification(seconds: 0.01) == false)
      try await pool.execute("SELECT pg_notify('news', '')")
      #expect(try await listener.waitForNotification(seconds: 20))
    }
  }

  @Test func migrationsAreAppliedOnceByManyAtOnce() async throws {
    try await TestDatabase.with { _, conninfo in
      let migrator = Migrator(
        schema: "s",
        migrations: [
          Migration(name: "V0001_a", bytes: Array("CREATE TABLE s.a (n bigint);".utf8)),
          Migration(name: "V0002_b", bytes: Array("INSERT INTO s.a VALUES (1); SELECT pg_sleep(0.05);".utf8)),
        ])
      let applied = try await withThrowingTaskGroup(of: [String].self) { group in
        for _ in 0..<4 {
          group.addTask { try await migrator.apply(with: PostgresPool(conninfo: conninfo, size: 1)) }
        }
        return try await group.reduce(into: []) { $0 += $1 }
      }
      #expect(applied == ["V0001_a", "V0002_b"])
    }
  }

  @Test func aLaterSchemaIsNotTouched() async throws {
    try await TestDatabase.with { pool, _ in
      let first = Migration(name: "V0001_a", bytes: Array("CREATE TABLE s.a (n bigint);".utf8))
      let second = Migration(name: "V0002_b", bytes: Array("CREATE TABLE s.b (n bigint);".utf8))
      let other = Migration(name: "V0002_c", bytes: Array("CREATE TABLE s.c (n bigint);".utf8))
      _ = try await Migrator(schema: "s", migrations: [first, second]).apply(with: pool)
      let error = await #expect(throws: LaterSchemaError.self) {
        try await Migrator(schema: "s", migrations: [first, other]).apply(with: pool)
      }
      #expect(error?.migrations == ["V0002_b"])
      let tables = try await pool.first("SELECT to_regclass('s.c') IS NULL AS absent") {
        try $0("absent", as: Bool.self)
      }
      #expect(tables == true)
    }
  }
}
