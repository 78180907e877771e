import Testing

@testable import CommandLineTool

@Suite struct WaiterTests {
  private let poll = "GET /iaas/operations/\(Sample.operation)?wait="

  private func importing(_ answers: String...) throws -> Bench {
    let bench = try Bench()
    bench.transport.answer(
      "POST /iaas/images", 202, Sample.imageJSON(state: "importing"), headers: Sample.operationLocation)
    for answer in answers { bench.transport.answer("\(poll)30", answer) }
    bench.transport.answer("GET /iaas/images/\(Sample.image)", Sample.imageJSON())
    return bench
  }

  @Test func theOperationIsFollowedAndTheObjectFetchedAgain() async throws {
    let bench = try importing(
      Sample.operationJSON("pending"), Sample.operationJSON("running", done: 1 << 20),
      Sample.operationJSON("running", done: 1 << 20), Sample.operationJSON("done"))
    #expect(await bench.run("image", "add", "u", "n", "d", "-o", "json") == .done)
    #expect(bench.transport.targets.count == 6)
    #expect(bench.console.out == Sample.imageJSON() + "\n")
    #expect(
      bench.console.err == ["image_import: pending", "image_import: downloading 1/4 MiB", "image_import: done"])
  }

  @Test func aFailedOperationTellsItsSentence() async throws {
    let bench = try importing(Sample.operationJSON("failed", error: #"The source\u001b answered 404."#))
    #expect(await bench.run("image", "add", "u", "n", "d") == .failed)
    #expect(bench.console.err == ["iaas: The source\u{FFFD} answered 404."])
    #expect(bench.console.out.isEmpty)
  }

  @Test func aCancelledOperationFails() async throws {
    #expect(await (try importing(Sample.operationJSON("cancelled"))).run("image", "add", "u", "n", "d") == .failed)
  }

  @Test func timeRunsOut() async throws {
    let bench = try importing()
    bench.transport.answer("\(poll)0", Sample.operationJSON("running"))
    #expect(await bench.run("image", "add", "u", "n", "d", "--timeout", "0") == .timedOut)
    #expect(bench.transport.requests.first?.headers["Prefer"] == "wait=0")
    #expect(bench.console.err.last?.contains("iaas operation show \(Sample.operation)") == true)
  }

  @Test func nobodyNeedsToWait() async throws {
    let bench = try importing()
    #expect(await bench.run("image", "add", "u", "n", "d", "--no-wait", "-o", "name") == .done)
    #expect(bench.transport.requests.first?.headers["Prefer"] == "respond-async")
    #expect(bench.transport.targets == ["POST /iaas/images"])
    #expect(bench.console.out == "debian\n")
  }

  @Test func anOperationElsewhereIsNotAsked() async throws {
    let bench = try Bench()
    bench.transport.answer(
      "POST /iaas/images", 202, Sample.imageJSON(), headers: ["operation-location": "https://evil.example/steal"])
    #expect(await bench.run("image", "add", "u", "n", "d") == .done)
    #expect(bench.transport.targets == ["POST /iaas/images"])
  }

  @Test func anObjectInErrorIsAFailure() async throws {
    let bench = try Bench()
    bench.transport.answer("POST /iaas/images", 201, Sample.imageJSON(state: "error"))
    #expect(await bench.run("image", "add", "u", "n", "d") == .failed)
    bench.transport.answer("PUT /iaas/vms/\(Sample.vm)", Sample.vmJSON(state: "error", reason: "No disk."))
    #expect(await bench.run("vm", "start", Sample.vm) == .failed)
    #expect(bench.console.err.last == "iaas: No disk.")
  }

  @Test func aVMThatDidNotStartIsAFailure() async throws {
    let bench = try Bench()
    bench.transport.answer("PUT /iaas/vms/\(Sample.vm)", Sample.vmJSON(state: "stopped", reason: "No room."))
    #expect(await bench.run("vm", "start", Sample.vm) == .failed)
    #expect(bench.console.err.last == "iaas: The VM web1 (\(Sample.vm)) is stopped: No room.")
  }

  @Test func removalIsFollowedToo() async throws {
    let bench = try Bench()
    let target = "/iaas/vms/\(Sample.vm)"
    bench.transport.answer("DELETE \(target)", 202, "", headers: Sample.operationLocation)
    bench.transport.answer("\(poll)30", Sample.operationJSON("done"))
    #expect(await bench.run("vm", "rm", Sample.vm, "-y") == .done)
    #expect(bench.console.err == ["Removed the VM \(Sample.vm)."])
  }

  @Test func anAddressThatIsNoneIsNotPutIntoACommand() async throws {
    let bench = try Bench()
    bench.transport.answer("PUT /iaas/vms/\(Sample.vm)", Sample.vmJSON(state: "running", ip: "1.2.3.4;reboot"))
    #expect(await bench.run("vm", "start", Sample.vm) == .done)
    #expect(bench.console.err.isEmpty)
  }
}
