import Foundation
import Testing

@testable import CommandLineTool

/// The same objects in every format, against what is recorded.
@Suite struct FormatTests {
  private static let vm = #"""
    {"id":"0199f3a2-0000-7000-8000-000000000001","name":"web, \"1\"","state":"running","reason":null,"mem":512,\#
    "vcpus":2,"disk":10,"addresses":[{"ip":"10.0.0.7","mac":"52:54:00:00:00:01"}],"hostKeys":[],\#
    "createdAt":"2030-01-01T00:00:00Z","group":"=SUM(A1)","owner":"no"}
    """#

  private func listed(_ format: String) async throws -> String {
    let bench = try Bench()
    bench.transport.answer("GET /iaas/vms?limit=1000", 200, "[\(Self.vm)]", headers: ["total-count": "1"])
    bench.transport.answer("GET /iaas/vms", 200, "[\(Self.vm)]", headers: ["total-count": "1"])
    #expect(await bench.run("vm", "ls", "-o", format) == .done, "\(bench.console.err)")
    return bench.console.out
  }

  @Test func csvIsQuotedAndHasTitles() async throws {
    #expect(
      try await listed("csv") == """
        id,name,state,vcpus,mem,disk,addresses,created\r
        0199f3a2-0000-7000-8000-000000000001,"web, ""1""\",running,2,512 MiB,10 GiB,10.0.0.7,2030-01-01T00:00:00Z\r

        """)
  }

  @Test func yamlIsTheAPIsOwnObject() async throws {
    #expect(
      try await listed("yaml") == #"""
        - id: "0199f3a2-0000-7000-8000-000000000001"
          name: "web, \"1\""
          state: running
          reason: null
          mem: 512
          vcpus: 2
          disk: 10
          addresses:
          - ip: "10.0.0.7"
            mac: "52:54:00:00:00:01"
          hostKeys: []
          createdAt: "2030-01-01T00:00:00Z"
          group: "=SUM(A1)"
          owner: "no"

        """#)
  }

  @Test func jsonIsUntouchedAndNamesAreLines() async throws {
    #expect(try await listed("json") == "[\(Self.vm)]\n")
    #expect(try await listed("name") == "web, \"1\"\n")
  }

  @Test func whatASpreadsheetWouldCalculateIsText() {
    #expect(CSV.line(["=1+1", "+x", "-5", "@a", "a\"b", "two\nlines"]).hasPrefix("'=1+1,'+x,-5,'@a,\"a\"\"b\","))
    #expect(CSV.line(["x\"\u{301},y", "=\u{301}1"]) == "\"x\"\"\u{301},y\",'=\u{301}1\r\n")
  }
}
