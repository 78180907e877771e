import Models
import Testing

@testable import CommandLineTool

@Suite struct GuestWaitTests {
  private func starting(_ first: String, width: Int? = nil) throws -> Bench {
    let bench = try Bench(width: width)
    bench.transport.answer("PUT \(Sample.vmPath)", first)
    return bench
  }

  private func poll(_ stage: String, _ seconds: Int = 30) -> String {
    "GET \(Sample.vmPath)?readiness=\(stage)&wait=\(seconds)"
  }

  @Test(arguments: ["start", "reboot", "reset", "resume"])
  func stageByStage(verb: String) async throws {
    let bench = try starting(Sample.guestJSON([], ips: []))
    bench.transport.answer(poll("booted"), Sample.guestJSON(["booted"], ips: []))
    bench.transport.answer(poll("network"), Sample.guestJSON(["booted"], ips: []))
    bench.transport.answer(poll("network"), Sample.guestJSON(["booted", "network"]))
    let last = Sample.guestJSON(["booted", "network", "ssh"])
    bench.transport.answer(poll("ssh"), last)
    #expect(await bench.run("vm", verb, Sample.vm, "--wait", "ssh", "-o", "json") == .done)
    #expect(bench.transport.requests.count == 5)
    #expect(bench.transport.requests.map(\.held) == [10, 30, 30, 30, 30])
    #expect(bench.console.out == last + "\n")
    #expect(
      bench.console.err == [
        "web1: waiting for booted … ssh", "web1: waiting for network … ssh", "web1: waiting for ssh",
        "web1: ssh reached", "Log in with: ssh root@10.0.0.7",
      ])
  }

  @Test func afterTheOperation() async throws {
    let bench = try Bench()
    bench.transport.answer(
      "PUT \(Sample.vmPath)", 202, Sample.guestJSON([], state: "starting"), headers: Sample.operationLocation)
    bench.transport.answer("GET /iaas/operations/\(Sample.operation)?wait=30", Sample.operationJSON("done"))
    bench.transport.answer("GET \(Sample.vmPath)", Sample.guestJSON([]))
    bench.transport.answer(poll("booted"), Sample.guestJSON(["network"]))
    #expect(await bench.run("vm", "start", Sample.vm, "--wait", "network") == .done)
    #expect(bench.transport.requests.count == 4)
  }

  @Test func onATerminalItIsOneLine() async throws {
    let bench = try starting(Sample.guestJSON(["booted"]), width: 40)
    bench.transport.answer(poll("network", 1), Sample.guestJSON(["booted"]))
    bench.transport.answer(poll("network", 1), Sample.guestJSON(["booted", "network"]))
    #expect(await bench.run("vm", "start", Sample.vm, "--wait", "network") == .done)
    #expect(bench.console.frames.first == "web1: waiting for network  0 s")
    #expect(bench.console.frames.last == "" && !bench.console.isDrawnOver)
    #expect(bench.console.err == ["web1: network reached", "Log in with: ssh root@10.0.0.7"])
  }

  @Test func runningIsEnough() async throws {
    let bench = try starting(Sample.guestJSON([]))
    #expect(await bench.run("vm", "start", Sample.vm, "--wait", "running") == .done)
    #expect(bench.transport.requests.count == 1)
  }

  @Test func runningIsAskedForWhereTheServerDoesNotSayHowToFollow() async throws {
    let bench = try Bench()
    bench.transport.answer("PUT \(Sample.vmPath)", 202, Sample.guestJSON([], state: "starting"))
    bench.transport.answer(poll("defined"), Sample.guestJSON(["defined"]))
    #expect(await bench.run("vm", "start", Sample.vm, "--wait", "running") == .done)
    #expect(bench.transport.requests.count == 2)
  }

  @Test func timeRunsOutAndTheVMIsPrinted() async throws {
    let bench = try starting(Sample.guestJSON(["booted"]))
    #expect(await bench.run("vm", "start", Sample.vm, "--wait", "ssh", "--timeout", "0", "-o", "name") == .timedOut)
    #expect(bench.console.out == "web1\n")
    #expect(
      bench.console.err == [
        "iaas: The VM web1 (\(Sample.vm)) is as far as booted, and not ssh, after 0 s.",
        "The guest goes on. See: iaas vm show \(Sample.vm)",
      ])
  }

  @Test func theTimeIsThatOfEverything() async throws {
    let bench = try starting(Sample.guestJSON([]))
    bench.transport.answer(poll("booted", 1), Sample.guestJSON([]))
    #expect(await bench.run("vm", "start", Sample.vm, "--wait", "booted", "--timeout", "1") == .timedOut)
    #expect(bench.transport.requests.first?.headers["Prefer"] == "wait=1")
    #expect(bench.transport.requests.count > 1)
  }

  @Test(arguments: ["stopped", "paused", "deleting", "stopping"])
  func aVMThatStopsIsNotWaitedFor(state: String) async throws {
    let bench = try starting(Sample.guestJSON([]))
    bench.transport.answer(poll("booted"), Sample.guestJSON(["ssh"], state: state, reason: "It crashed."))
    #expect(await bench.run("vm", "start", Sample.vm, "--wait", "ssh") == .failed)
    #expect(bench.console.err.last == "iaas: The VM web1 (\(Sample.vm)) is \(state): It crashed.")
    #expect(bench.console.out.contains(state))
  }

  @Test func aSilentHostIsWaitedFor() async throws {
    let bench = try starting(Sample.guestJSON(["booted"]))
    bench.transport.answer(poll("network"), Sample.guestJSON(["ssh"], state: "unknown"))
    bench.transport.answer(poll("defined"), Sample.guestJSON(["network"]))
    #expect(await bench.run("vm", "start", Sample.vm, "--wait", "network") == .done)
  }

  @Test func aQuestionThatFailsSaysHowToGoOn() async throws {
    let bench = try starting(Sample.guestJSON([]))
    bench.transport.answer(poll("booted"), 404, #"{"detail":"Gone."}"#, type: "application/problem+json")
    #expect(await bench.run("vm", "start", Sample.vm, "--wait", "ssh") == .notFound)
    #expect(bench.console.err.suffix(2) == ["iaas: Gone.", "The guest goes on. See: iaas vm show \(Sample.vm)"])
  }

  @Test(
    arguments: [
      ([], GuestStage.running, true), ([], .booted, false), (["booted"], .booted, true), (["network"], .booted, true),
      (["booted"], .network, false), (["cloud-init"], .network, true), (["cloud-init"], .ssh, false),
      (["ssh", "cloud-init"], .ssh, true), (["ssh"], .cloudInit, false), (["cloud-init"], .cloudInit, true),
      (["dancing"], .booted, false),
    ] as [([String], GuestStage, Bool)])
  func whatIsReached(stages: [String], stage: GuestStage, isReached: Bool) async throws {
    let bench = try Bench()
    bench.transport.answer("GET \(Sample.vmPath)", Sample.guestJSON(stages))
    let client = APIClient(
      server: try ServerAddress(ServerAddress.standard, allowInsecureHTTP: false), token: "t",
      transport: bench.transport)
    let vm = try await client.get(VMView.self, Sample.vmPath).value
    #expect(stage.isReached(by: vm) == isReached)
    if !isReached, stage == .ssh { #expect(stage.next(for: vm) == .ssh) }
  }

  @Test(
    arguments: [
      ["vm", "start", "x", "--wait", "lunch"], ["vm", "start", "x", "--wait", "ssh", "--no-wait"],
      ["vm", "add", "x", "--wait", "ssh", "--timeout", "-1"], ["vm", "stop", "x", "--wait", "ssh"], ["ssh"],
      ["ssh", "x", "--timeout", "-1"], ["ssh", "x", "uname"], ["vm", "resize", "x"],
      ["vm", "resize", "x", "--mem", ""],
      ["vm", "resize", "x", "--mem", "lots"], ["vm", "rename", "x"], ["vm", "move", "x"], ["vm", "save", "x"],
      ["vm", "rebuild", "x"], ["vm", "console", "x", "--bytes", "0"], ["host", "overcommit", "x"],
      ["host", "overcommit", "x", "--cpus", "0"], ["host", "overcommit", "x", "--cpus", "nan"], ["host", "up"],
      ["keys", "add", "x"], ["keys", "add", "x", "/nowhere/at/all"], ["op", "watch"],
      ["op", "watch", "x", "--no-wait"],
    ])
  func usage(arguments: [String]) async throws {
    let console = FakeConsole()
    #expect(await IaaSCommand.run(arguments, console: console) == .usage)
    #expect(console.out.isEmpty && !console.err.isEmpty)
  }
}
