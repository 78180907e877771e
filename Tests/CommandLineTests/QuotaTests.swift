import Foundation
import Models
import Testing

@testable import CommandLineTool

@Suite struct QuotaTests {
  @Test(
    arguments: [
      ("vms=5", .vms, .at(5)), ("vms=0", .vms, .at(0)), ("images=unlimited", .images, .unlimited),
      ("vcpus=default", .vcpus, nil), ("mem=2048", .mem, .at(2048)), ("mem=4G", .mem, .at(4096)),
      ("mem=1t", .mem, .at(1 << 20)), ("mem=2048KiB", .mem, .at(2)), ("disk=100", .disk, .at(100)),
      ("disk=2T", .disk, .at(2048)), ("disk=2048M", .disk, .at(2)), ("imageBytes=4G", .imageBytes, .at(4 << 30)),
      ("diskReadBytes=1K", .diskReadBytes, .at(1024)), ("diskWrittenBytes=3MB", .diskWrittenBytes, .at(3 << 20)),
      ("netRxBytes=7", .netRxBytes, .at(7)), ("netTxBytes=1TiB", .netTxBytes, .at(1 << 40)),
      ("cpuSeconds=3600", .cpuSeconds, .at(3600)), ("memMiBHours=9223372036854775807", .memMiBHours, .at(.max)),
    ] as [(String, QuotaResource, Quota.Limit?)])
  func limits(text: String, resource: QuotaResource, limit: Quota.Limit?) throws {
    #expect(try QuotaAssignment.parse([text]) == [QuotaAssignment(resource: resource, limit: limit)])
  }

  @Test(
    arguments: [
      ["vms"], ["vms="], ["=5"], ["vms=-1"], ["vms=+1"], ["vms=5G"], ["vms=five"], ["vms=1.5"], ["vms=5=5"], ["VMs=5"],
      ["mem=512K"], ["mem=1.5G"], ["mem=4 G"], ["mem=G"], ["mem=4P"], ["mem=٤"], ["disk=512M"], ["gpus=1"], [""],
      ["imageBytes=9223372036854775808"], ["imageBytes=8388608T"], ["memMiBHours=1G"], ["vms=Unlimited"],
      ["vms=1", "mem=1", "vms=2"], ["group="], ["group=a", "group=b"],
      ["cpuShare=half"], ["cpuShare=1K"], ["netBytesPerSecond=M"], ["diskBytesPerSecond=9999999999999G"],
    ])
  func whatIsNoLimitIsUsage(texts: [String]) async throws {
    let bench = try Bench()
    #expect(await bench.run(["user", "quota", Sample.user] + texts) == .usage)
    #expect(bench.transport.requests.isEmpty)
    #expect(bench.console.err.count == 1)
  }

  private func bench(_ quota: String?, then: String? = nil) throws -> Bench {
    let bench = try Bench()
    bench.transport.answer("GET \(Sample.userPath)", Sample.userJSON(quota: quota))
    bench.transport.answer("PUT \(Sample.userPath)", Sample.userJSON(quota: then ?? quota))
    return bench
  }

  @Test func thePresentQuotaIsATable() async throws {
    let bench = try bench(#"{"mem":4096,"vms":null,"imageBytes":1610612736,"gpus":2,"disk":0}"#)
    #expect(await bench.run("user", "quota", Sample.user) == .done)
    #expect(bench.transport.targets == ["GET \(Sample.userPath)"])
    #expect(
      bench.console.out == """
        RESOURCE          LIMIT      COUNTED
        images            default    at a time
        imageBytes        1.5 GiB    at a time
        vms               unlimited  at a time
        vcpus             default    at a time
        mem               4 GiB      at a time
        disk              0 B        at a time
        cpuSeconds        default    a month
        memMiBHours       default    a month
        diskReadBytes     default    a month
        diskWrittenBytes  default    a month
        netRxBytes        default    a month
        netTxBytes        default    a month
        gpus              2          -

        """)
  }

  @Test(
    arguments: [
      ("{}", ["vms=5"], #"{"quota":{"vms":5}}"#), ("{}", ["vms=default"], #"{"quota":{}}"#),
      (#"{"mem":1,"vms":2}"#, ["mem=unlimited", "disk=3"], #"{"quota":{"disk":3,"mem":null,"vms":2}}"#),
      (#"{"mem":1,"vms":null}"#, ["mem=default"], #"{"quota":{"vms":null}}"#),
      ("{}", ["group=student"], #"{"quota":{"group":"student"}}"#),
      (#"{"group":"student","vms":2}"#, ["mem=1G"], #"{"quota":{"group":"student","mem":1024,"vms":2}}"#),
      (#"{"group":"student","vms":2}"#, ["group=default"], #"{"quota":{"vms":2}}"#),
      (
        "{}", ["cpuShare=50", "diskBytesPerSecond=10M"],
        #"{"quota":{"caps":{"cpuShare":50,"diskBytesPerSecond":10485760}}}"#
      ),
      (#"{"caps":{"cpuShare":50},"vms":2}"#, ["vms=3"], #"{"quota":{"caps":{"cpuShare":50},"vms":3}}"#),
      (#"{"caps":{"cpuShare":50},"vms":2}"#, ["cpuShare=none"], #"{"quota":{"vms":2}}"#),
      (#"{"gpus":null,"tpus":1}"#, ["mem=1G"], #"{"quota":{"gpus":null,"mem":1024,"tpus":1}}"#),
    ])
  func otherLimitsStay(present: String, assignments: [String], body: String) async throws {
    let bench = try bench(present, then: #"{"vms":5}"#)
    #expect(await bench.run(["user", "quota", Sample.user] + assignments) == .done)
    #expect(bench.transport.targets == ["GET \(Sample.userPath)", "PUT \(Sample.userPath)"])
    #expect(bench.body(1) == body)
    #expect(bench.console.out.contains("vms               5        at a time\n"))
  }

  @Test func forPrograms() async throws {
    let bench = try bench(#"{"vms":null,"mem":4096}"#)
    #expect(await bench.run("user", "quota", Sample.user, "-o", "json") == .done)
    #expect(bench.console.out == #"{"mem":4096,"vms":null}"# + "\n")
    #expect(await bench.run("user", "quota", Sample.user, "-o", "name") == .done)
    let words = bench.console.out.split(separator: "\n").dropFirst().map(String.init)
    #expect(words.contains("vms=unlimited") && words.contains("mem=4096") && words.contains("disk=default"))
    #expect(await bench.run(["user", "quota", Sample.user] + words) == .done)
    #expect(bench.body(3) == #"{"quota":{"mem":4096,"vms":null}}"#)
  }

  @Test func aQuotaThatIsNotToldIsNotReplaced() async throws {
    let bench = try bench(nil)
    #expect(await bench.run("user", "quota", Sample.user, "vms=5") == .failed)
    #expect(bench.transport.targets == ["GET \(Sample.userPath)"])
  }

  @Test func theLargestNumbersDoNotTrap() {
    #expect(QuotaResource.mem.text(of: .max) == "8388608 TiB")
    #expect(QuotaView(limits: ["disk": .at(.max), "gpus": .at(-1)]).summary == "disk 8388608 TiB, gpus -1")
    #expect(QuotaView().summary == "default")
    #expect(QuotaView(limits: ["vms": .at(2)], group: "small").summary == "group small, vms 2")
  }

  @Test func whoIsLoggedInSeesWhatTheyHaveAndMayHave() async throws {
    let bench = try Bench()
    let account =
      Sample.userJSON().dropLast() + #","limits":{"vms":5,"mem":2048},"usage":{"vms":2,"mem":1024,"disk":3}}"#
    bench.transport.answer("GET /iaas/me", String(account))
    #expect(await bench.run("me") == .done)
    #expect(bench.console.out.contains("vms 2 of 5, mem 1 GiB of 2 GiB, disk 3 GiB\n"))
  }
}
