import Testing

@testable import CommandLineTool

@Suite struct ExplainTests {
  @Test func theHostsAndTheReasonsAreATable() async throws {
    let bench = try Bench()
    let hosts = #"""
      [{"host":"\#(Sample.host)","addr":"hv1:7443","best":true},\#
      {"host":"\#(Sample.host)","addr":"hv2:7443","best":false,"reason":"is maintenance."}]
      """#
    bench.transport.answer(
      "POST /iaas/placements", #"{"fits":true,"message":"There is a host for it.","hosts":\#(hosts)}"#)
    #expect(await bench.run("explain", Sample.image, "2G", "--group", "web") == .done)
    #expect(bench.body(0).contains(#""group":"web""#) && bench.body(0).contains(#""mem":2048"#))
    #expect(
      bench.console.out == """
        HOST      VERDICT
        hv1:7443  yes, and the best
        hv2:7443  no: it is maintenance.

        """)
    #expect(bench.console.err == ["There is a host for it."])
  }

  @Test func noHostIsNoCapacity() async throws {
    let bench = try Bench()
    bench.transport.answer("POST /iaas/placements", #"{"fits":false,"message":"No host."}"#)
    #expect(await bench.run("explain", Sample.image) == .noCapacity)
    #expect(bench.console.err == ["iaas: No host."])
  }
}
