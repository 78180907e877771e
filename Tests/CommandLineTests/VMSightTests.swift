import Testing

@testable import CommandLineTool

/// What a VM did and may do, on the command line.
@Suite struct VMSightTests {
  private static let capped = Sample.guestJSON([], state: "running").dropLast() + #","caps":{"cpuShare":50}}"#

  @Test(
    arguments: [
      (["cpuShare=25"], #"{"caps":{"cpuShare":25}}"#), (["cpuShare=none"], #"{"caps":{}}"#),
      (
        ["diskBytesPerSecond=1M", "netBytesPerSecond=64K"],
        #"{"caps":{"cpuShare":50,"diskBytesPerSecond":1048576,"netBytesPerSecond":65536}}"#
      ),
    ])
  func capping(assignments: [String], body: String) async throws {
    let bench = try Bench()
    bench.transport.answer("GET \(Sample.vmPath)", String(Self.capped))
    bench.transport.answer("PUT \(Sample.vmPath)", String(Self.capped))
    #expect(await bench.run(["vm", "cap", Sample.vm] + assignments) == .done)
    #expect(bench.body(1) == body)
  }

  @Test(arguments: [["cpu=5"], ["cpuShare"], ["cpuShare=x"], ["diskOperationsPerSecond=5K"]])
  func whatIsNoCapIsUsage(assignments: [String]) async throws {
    let bench = try Bench()
    #expect(await bench.run(["vm", "cap", Sample.vm] + assignments) == .usage)
    #expect(bench.transport.requests.isEmpty && bench.console.err.count == 1)
  }

  @Test func capsAreShown() async throws {
    let bench = try Bench()
    bench.transport.answer("GET \(Sample.vmPath)", String(Self.capped))
    #expect(await bench.run("vm", "show", Sample.vm) == .done)
    #expect(bench.console.out.contains("50 % of its vCPUs"))
  }

  private static let metrics = #"""
    {"vm":"x","step":10,"since":"2030-01-01T00:00:00Z","samples":[{"at":"2030-01-01T00:00:10Z","seconds":10,\#
    "cpuPercent":12.5,"mem":512,"memUsed":100,"diskReadBytesPerSecond":1536,"diskWrittenBytesPerSecond":0,\#
    "netRxBytesPerSecond":10,"netTxBytesPerSecond":2097152}]}
    """#

  @Test func metricsAreATable() async throws {
    let bench = try Bench()
    bench.transport.answer("GET \(Sample.vmPath)/metrics?since=21600&step=60", Self.metrics)
    #expect(await bench.run("vm", "metrics", Sample.vm, "--since", "6h", "--step", "60") == .done)
    #expect(
      bench.console.out == """
        AT                    CPU     MEMORY USED  READ       WRITTEN  RECEIVED  SENT
        2030-01-01T00:00:10Z  12.5 %  100 MiB      1.5 KiB/s  0 B/s    10 B/s    2 MiB/s

        """)
  }

  @Test func eventsOfEveryoneAndOfOne() async throws {
    let bench = try Bench()
    let events = #"""
      [{"id":"e1","at":"2030-01-01T00:00:00Z","user":"ana","resource":"mem","level":80,"used":4096,"limit":5120}]
      """#
    bench.transport.answer("GET /iaas/usage/events", events)
    bench.transport.answer("GET \(Sample.userPath)/events", "[]")
    #expect(await bench.run("user", "events") == .done)
    #expect(bench.console.out.contains("ana   mem       80 %     4 GiB  5 GiB"))
    #expect(await bench.run("user", "events", Sample.user) == .done)
  }
}
