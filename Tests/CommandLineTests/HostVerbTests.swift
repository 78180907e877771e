import Testing

@testable import CommandLineTool

@Suite struct HostVerbTests {
  private func bench(terminal: Bool = false, input: [String] = []) throws -> Bench {
    let bench = try Bench(terminal: terminal, input: input)
    bench.transport.answer("PUT \(Sample.hostPath)", Sample.hostJSON(state: "maintenance"))
    bench.transport.answer(
      "GET \(Sample.hostPath)", Sample.hostJSON(more: #","overcommit":{"cpus":4,"mem":1,"disk":1.5}"#))
    return bench
  }

  @Test(
    arguments: [
      (["up"], "up"), (["maintenance"], "maintenance"), (["maintenance", "--off"], "up"), (["dead", "-y"], "dead"),
    ])
  func states(arguments: [String], state: String) async throws {
    let bench = try bench()
    #expect(await bench.run(["host"] + arguments + [Sample.host]) == .done)
    #expect(bench.body(0) == #"{"state":"\#(state)"}"#)
    #expect(bench.console.out.contains("  hv1:7443  maintenance  "))
  }

  @Test func givingAHostUpAsksAndSaysWhatItMeans() async throws {
    for (answer, status) in [("no", CommandStatus.failed), ("y", .done)] {
      let bench = try bench(terminal: true, input: [answer])
      #expect(await bench.run("host", "dead", Sample.host) == status)
      #expect(bench.console.err.first?.contains("made anew elsewhere") == true)
      #expect(bench.console.err.first?.hasSuffix("Give the host hv1:7443 (\(Sample.host)) up? [y/N] ") == true)
      #expect(bench.transport.targets.contains("PUT \(Sample.hostPath)") == (status == .done))
    }
    let bench = try bench()
    #expect(await bench.run("host", "dead", Sample.host) == .usage)
    #expect(bench.transport.requests.isEmpty)
  }

  @Test func allFactorsAreOneRequest() async throws {
    let bench = try bench()
    #expect(await bench.run("host", "overcommit", Sample.host, "--cpus", "4", "--mem", "1.5", "--disk", "2") == .done)
    #expect(bench.transport.targets == ["PUT \(Sample.hostPath)"])
    #expect(bench.body(0) == #"{"overcommit":{"cpus":4,"disk":2,"mem":1.5}}"#)
  }

  @Test func factorsThatAreNotGivenStay() async throws {
    let bench = try bench()
    #expect(await bench.run("host", "overcommit", Sample.host, "--mem", "0.9") == .done)
    #expect(bench.body(1) == #"{"overcommit":{"cpus":4,"disk":1.5,"mem":0.9}}"#)
  }

  @Test func factorsThatNobodyTellsAreNotGuessed() async throws {
    let bench = try Bench()
    bench.transport.answer("GET \(Sample.hostPath)", Sample.hostJSON())
    #expect(await bench.run("host", "overcommit", Sample.host, "--mem", "0.9") == .failed)
    #expect(bench.transport.targets == ["GET \(Sample.hostPath)"])
  }

  @Test func removingWithItsVMsIsFollowed() async throws {
    let bench = try Bench()
    bench.transport.answer(
      "DELETE \(Sample.hostPath)", 409, #"{"detail":"It has VMs."}"#, type: "application/problem+json")
    bench.transport.answer("DELETE \(Sample.hostPath)?cascade=true", 202, "", headers: Sample.operationLocation)
    bench.transport.answer("GET /iaas/operations/\(Sample.operation)?wait=30", Sample.operationJSON("running"))
    bench.transport.answer("GET /iaas/operations/\(Sample.operation)?wait=30", Sample.operationJSON("done"))
    #expect(await bench.run("host", "rm", Sample.host) == .conflict)
    #expect(await bench.run("host", "rm", Sample.host, "--cascade") == .done)
    #expect(bench.console.err.last == "Removed the host \(Sample.host).")
    #expect(await bench.run("host", "rm", Sample.host, "--cascade", "--no-wait", "-o", "json") == .done)
    #expect(bench.console.out == #"{"id":"\#(Sample.host)"}"# + "\n")
  }

  @Test func aHostThatIsGoneAtOnce() async throws {
    let bench = try Bench()
    bench.transport.answer("DELETE \(Sample.hostPath)?cascade=true", 204, "")
    #expect(await bench.run("host", "rm", Sample.host, "--cascade") == .done)
  }

  @Test func showing() async throws {
    let bench = try Bench()
    let quarantined = """
      [{"id":"\(Sample.vm)","owner":"\(Sample.user)","since":"2020-01-01T00:00:00Z"},{"id":"x\\u001b[2J"}]
      """
    let more = """
      ,"reason":"It is silent.","hostname":"hv1","cpuModel":"EPYC","agentVersion":"0.1.0","cpus":8,"cpusAllocated":2,\
      "overcommit":{"cpus":4,"mem":1,"disk":1.5},"lastReportAt":"2020-01-01T00:00:00.000Z","quarantined":\(quarantined)
      """
    bench.transport.answer("GET \(Sample.hostPath)", Sample.hostJSON(state: "unreachable", more: more))
    #expect(await bench.run("host", "show", Sample.host) == .done)
    let out = bench.console.out
    #expect(out.contains(/STATE +unreachable: It is silent.\n/))
    #expect(out.contains(/HOSTNAME +hv1\n/) && out.contains(/CPU MODEL +EPYC\n/) && out.contains(/AGENT +0.1.0\n/))
    #expect(out.contains(/CPUS +2 of 8\n/) && out.contains(/OVERCOMMIT +cpus 4.0, mem 1.0, disk 1.5\n/))
    #expect(out.contains(/LAST REPORT +2020-01-01T00:00:00.000Z \([0-9]+ d ago\)\n/))
    #expect(out.contains(/QUARANTINED +[-0-9a-f]+ of [-0-9a-f]+ since 2020-01-01T00:00:00Z \([0-9]+ d ago\)\n/))
    #expect(out.contains("x\u{FFFD}[2J\n"))
  }

  @Test func whatOthersThanAdministratorsSee() async throws {
    let bench = try Bench()
    bench.transport.answer("GET \(Sample.hostPath)", #"{"id":"\#(Sample.host)","state":"up","arch":"x86_64"}"#)
    #expect(await bench.run("host", "show", Sample.host) == .done)
    #expect(bench.console.out.contains(/QUARANTINED +-\n/))
    #expect(await bench.run("host", "show", Sample.host, "-o", "name") == .done)
    #expect(bench.console.out.hasSuffix("\n\(Sample.host)\n"))
  }
}
