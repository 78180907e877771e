import Testing

@testable import CommandLineTool

@Suite struct WaiterTests {
  private let poll = "GET /iaas/operations/\(Sample.operation)?wait="

  private func importing(_ answers: String..., width: Int? = nil) throws -> Bench {
    let bench = try Bench(width: width)
    bench.transport.answer(
      "POST /iaas/images", 202, Sample.imageJSON(state: "importing"), headers: Sample.operationLocation)
    for answer in answers { bench.transport.answer("\(poll)\(width == nil ? 30 : 1)", answer) }
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

  @Test func withoutATerminalEachStepIsALine() async throws {
    let bench = try importing(
      Sample.operationJSON("running", done: 1 << 20), Sample.operationJSON("running", done: 2 << 20),
      Sample.operationJSON("running"), Sample.operationJSON("done"))
    #expect(await bench.run("image", "add", "u", "n", "d") == .done)
    #expect(
      bench.console.err == ["image_import: downloading 1/4 MiB", "image_import: running", "image_import: done"])
    #expect(bench.console.frames.isEmpty)
  }

  @Test func onATerminalAnImportIsOneLineThatIsRedrawn() async throws {
    let bench = try importing(
      Sample.operationJSON("pending"), Sample.operationJSON("running", done: 1 << 20, rate: 1 << 20),
      Sample.operationJSON("running", done: 2 << 20, rate: 1 << 20), Sample.operationJSON("running"),
      Sample.operationJSON("done"), width: 80)
    #expect(await bench.run("image", "add", "u", "n", "d") == .done)
    #expect(bench.transport.requests.first?.headers["Prefer"] == "wait=1")
    let bar = "downloading  [######..................]   25%  1/4 MiB  1 MiB/s  ETA 0:03"
    #expect(bench.console.frames.first == bar)
    #expect(bench.console.frames.last == "")
    #expect(bench.console.err == ["image_import: pending", "image_import: running", "image_import: done"])
    #expect(!bench.console.isDrawnOver)
  }

  @Test func aFailureIsNotDrawnOver() async throws {
    let bench = try importing(
      Sample.operationJSON("running", done: 1 << 20), Sample.operationJSON("failed", error: "No."), width: 80)
    #expect(await bench.run("image", "add", "u", "n", "d") == .failed)
    #expect(bench.console.frames.count == 2 && !bench.console.isDrawnOver)
    #expect(bench.console.err == ["iaas: No."])
  }

  @Test func whatCountsNothingIsToldInLinesOnATerminalToo() async throws {
    let bench = try Bench(width: 80)
    let target = "/iaas/vms/\(Sample.vm)"
    bench.transport.answer("DELETE \(target)", 202, "", headers: Sample.operationLocation)
    bench.transport.answer("\(poll)1", Sample.operationJSON("running"))
    bench.transport.answer("\(poll)1", Sample.operationJSON("done"))
    #expect(await bench.run("vm", "rm", Sample.vm, "-y") == .done)
    #expect(bench.transport.requests.first?.headers["Prefer"] == "wait=10")
    #expect(bench.console.err == ["image_import: running", "Removed the VM \(Sample.vm)."])
    #expect(bench.console.frames.isEmpty)
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
    #expect(bench.console.err.last?.contains("iaas operation watch \(Sample.operation)") == true)
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

  @Test func watchingEndsWithTheOperation() async throws {
    for (end, status) in [("done", CommandStatus.done), ("failed", .failed), ("cancelled", .failed)] {
      let bench = try Bench()
      bench.transport.answer("\(poll)30", Sample.operationJSON("running", done: 1 << 20))
      bench.transport.answer("\(poll)30", Sample.operationJSON(end))
      #expect(await bench.run("op", "watch", Sample.operation, "-o", "json") == status)
      #expect(bench.console.out == Sample.operationJSON(end) + "\n")
      #expect(bench.console.err.first == "image_import: downloading 1/4 MiB")
    }
  }

  @Test func watchingHasAnEnd() async throws {
    let bench = try Bench()
    bench.transport.answer("\(poll)0", Sample.operationJSON("running"))
    #expect(await bench.run("op", "watch", Sample.operation, "--timeout", "0") == .timedOut)
  }

  @Test func theShortNameOfOperations() async throws {
    let bench = try Bench()
    bench.transport.answer("GET /iaas/operations/\(Sample.operation)", Sample.operationJSON("done"))
    #expect(await bench.run("op", "show", Sample.operation) == .done)
  }
}
