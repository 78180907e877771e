import Testing

@testable import CommandLineTool

@Suite struct VMVerbTests {
  private func answering(_ state: String, terminal: Bool = false, input: [String] = []) throws -> Bench {
    let bench = try Bench(terminal: terminal, input: input)
    bench.transport.answer("PUT \(Sample.vmPath)", Sample.guestJSON([], state: state))
    return bench
  }

  @Test(
    arguments: [("reboot", "running"), ("reset", "running"), ("pause", "paused"), ("resume", "running")])
  func power(verb: String, state: String) async throws {
    let bench = try answering(state)
    #expect(await bench.run("vm", verb, Sample.vm) == .done)
    #expect(bench.body(0) == #"{"state":"\#(verb)"}"#)
    #expect(bench.transport.requests.first?.headers["Prefer"] == "wait=10")
    #expect(bench.console.out.contains("  web1  \(state)  "))
    #expect(bench.console.err == (state == "running" ? ["Log in with: ssh root@10.0.0.7"] : []))
  }

  @Test func aVMThatIsNotPausedThenIsAFailure() async throws {
    let bench = try answering("running")
    #expect(await bench.run("vm", "pause", Sample.vm) == .failed)
    #expect(bench.console.err == ["iaas: The VM web1 (\(Sample.vm)) is running."])
  }

  @Test func whatTheStateForbidsIsAConflict() async throws {
    let bench = try Bench()
    bench.transport.answer(
      "PUT \(Sample.vmPath)", 409, #"{"detail":"It is stopped.","code":"invalid_state"}"#,
      type: "application/problem+json")
    #expect(await bench.run("vm", "reboot", Sample.vm) == .conflict)
    #expect(bench.console.err == ["iaas: It is stopped."])
  }

  @Test(
    arguments: [
      (["--mem", "4G"], #"{"mem":4096}"#), (["--vcpus", "3"], #"{"vcpus":3}"#), (["--disk", "20"], #"{"disk":20}"#),
      (["--disk", "20", "--mem", "512", "--vcpus", "1"], #"{"disk":20,"mem":512,"vcpus":1}"#),
    ])
  func resizing(options: [String], body: String) async throws {
    let bench = try answering("stopped")
    #expect(await bench.run(["vm", "resize", Sample.vm, "-o", "name"] + options) == .done)
    #expect(bench.body(0) == body)
    #expect(bench.console.out == "web1\n")
  }

  @Test func renaming() async throws {
    let bench = try answering("running")
    #expect(await bench.run("vm", "rename", Sample.vm, "www", "-o", "json") == .done)
    #expect(bench.body(0) == #"{"name":"www"}"#)
    #expect(bench.console.out == Sample.guestJSON([], state: "running") + "\n")
    #expect(bench.console.err.isEmpty)
  }

  @Test func moving() async throws {
    let bench = try answering("stopped")
    bench.transport.answer("GET /iaas/hosts?query=addr%20%3D%20%27hv1%3A7443%27", "[\(Sample.hostJSON())]")
    #expect(await bench.run("vm", "move", Sample.vm, "hv1:7443") == .done)
    #expect(bench.body(1) == #"{"host":"\#(Sample.host)"}"#)
  }

  @Test func rebuildingAsksAtATerminal() async throws {
    for (answer, status) in [("", CommandStatus.failed), ("yes", .done)] {
      let bench = try answering("stopped", terminal: true, input: [answer])
      bench.transport.answer("GET \(Sample.vmPath)", Sample.guestJSON([], state: "stopped"))
      #expect(await bench.run("vm", "rebuild", Sample.vm, Sample.image) == status)
      #expect(bench.console.err.first?.contains("What is on its disk is lost. [y/N] ") == true)
      #expect(bench.transport.targets.count == (status == .done ? 2 : 1))
    }
  }

  @Test func rebuildingWithoutATerminalNeedsAYes() async throws {
    let bench = try answering("stopped")
    #expect(await bench.run("vm", "rebuild", Sample.vm, Sample.image) == .usage)
    #expect(bench.transport.requests.isEmpty)
    #expect(await bench.run("vm", "rebuild", Sample.vm, Sample.image, "-y") == .done)
    #expect(bench.body(0) == #"{"image":"\#(Sample.image)"}"#)
  }

  @Test(arguments: [["web-1", "As it was"], ["web-1"]])
  func savingIsAnImage(arguments: [String]) async throws {
    let bench = try Bench()
    bench.transport.answer("POST \(Sample.vmPath)/snapshots", 201, Sample.imageJSON(name: "web-1"))
    #expect(await bench.run(["vm", "save", Sample.vm] + arguments) == .done)
    #expect(bench.body(0) == #"{"desc":"\#(arguments.count > 1 ? "As it was" : "")","name":"web-1"}"#)
    #expect(bench.console.out.contains("  web-1  available  "))
  }

  @Test func savingIsFollowed() async throws {
    let bench = try Bench()
    bench.transport.answer(
      "POST \(Sample.vmPath)/snapshots", 202, Sample.imageJSON(state: "importing"), headers: Sample.operationLocation)
    bench.transport.answer("GET /iaas/operations/\(Sample.operation)?wait=30", Sample.operationJSON("done"))
    bench.transport.answer("GET /iaas/images/\(Sample.image)", Sample.imageJSON())
    #expect(await bench.run("vm", "snapshot", Sample.vm, "n", "-o", "json") == .done)
    #expect(bench.console.out == Sample.imageJSON() + "\n")
  }

  private static let log = "\u{1B}[32mStarting\u{1B}[0m\tsshd\r\n\u{1B}]0;title\u{07}\u{9B}login: "

  @Test func theConsoleForAnythingButATerminalIsAsItIs() async throws {
    let bench = try Bench()
    bench.transport.answer("GET \(Sample.vmPath)/console?bytes=64", Self.log, type: "text/plain; charset=utf-8")
    #expect(await bench.run("vm", "console", Sample.vm, "--bytes", "64") == .done)
    #expect(bench.console.out == Self.log)
    #expect(bench.console.err.isEmpty)
  }

  @Test func theConsoleOnATerminalDrawsNothing() async throws {
    let bench = try Bench(terminal: true)
    bench.transport.answer("GET \(Sample.vmPath)/console", Self.log, type: "text/plain")
    #expect(await bench.run("vm", "console", Sample.vm) == .done)
    #expect(bench.console.out == "Starting    sshd\n\u{FFFD}login: \n")
  }

  @Test func theConsoleForPrograms() async throws {
    let bench = try Bench()
    bench.transport.answer("GET \(Sample.vmPath)/console", "a\r\n", type: "text/plain")
    #expect(await bench.run("vm", "console", Sample.vm, "-o", "json") == .done)
    #expect(bench.console.out == #"{"console":"a\r\n","id":"\#(Sample.vm)"}"# + "\n")
  }

  @Test func aConsoleThatIsEmptyOrNone() async throws {
    let bench = try Bench()
    bench.transport.answer("GET \(Sample.vmPath)/console", "", type: "text/plain")
    #expect(await bench.run("vm", "console", Sample.vm) == .done)
    #expect(bench.console.err == ["The VM has not written anything yet."])
    bench.transport.answer("GET \(Sample.vmPath)/console?bytes=1", "<html>", type: "text/html")
    #expect(await bench.run("vm", "console", Sample.vm, "--bytes", "1") == .failed)
  }

  @Test(
    arguments: [
      ("a\rb\r\r\nc", "a\nb\nc\n"), ("\u{1B}(B\u{1B}cx", "x\n"), ("\u{1B}[?25lx\u{1B}[1;31", "x\u{1B}[1;31\n"),
      ("", ""), ("\n", "\n"),
    ])
  func serialText(text: String, lines: String) {
    #expect(SerialText.readable(.init(text.utf8)) == lines)
  }

  @Test func showing() async throws {
    let bench = try Bench()
    bench.transport.answer(
      "GET \(Sample.vmPath)",
      Sample.guestJSON(
        ["booted", "cloud-init"], ips: ["::1", "10.0.0.7"], hostKeys: ["\(Sample.edKey) root@web1", "junk"],
        reason: "Slow\u{9B}."))
    #expect(await bench.run("vm", "show", Sample.vm) == .done)
    let lines = [
      "ID         \(Sample.vm)", "NAME       web1", "STATE      running: Slow\u{FFFD}.",
      "READINESS  booted      10 min ago (seen)", "           cloud-init  10 min ago (seen)",
      "ADDRESSES  ::1 (52:54:00:00:00:01)", "           10.0.0.7 (52:54:00:00:00:01)",
      "SSH        ssh root@10.0.0.7", "SIZE       2 vCPUs, 2 GiB memory, 10 GiB disk",
      "IMAGE      \(Sample.image)", "HOST       \(Sample.host)", "GROUP      web", "HOST KEYS  \(Sample.edPrint)",
      "           not a key", "CAPS       -", "BUSY       -", "OWNER      -", "CREATED    -", "STARTED    -",
    ]
    #expect(bench.console.out == lines.map { "\($0)\n" }.joined())
  }

  @Test func aServerOfTomorrowIsStillShown() async throws {
    let bench = try Bench()
    let more = #""readiness":{"stage":"dancing","steps":[{"stage":"dancing","at":"noon"}]},"addresses":[]"#
    bench.transport.answer("GET \(Sample.vmPath)", #"{"id":"\#(Sample.vm)","state":"dreaming",\#(more)}"#)
    #expect(await bench.run("vm", "show", Sample.vm) == .done)
    #expect(bench.console.out.contains(/READINESS +dancing +noon\n/))
    #expect(bench.console.out.contains(/SSH +-\n/))
  }

  @Test(
    arguments: [
      ("2030-01-01T00:00:00Z", "just now"), ("2029-12-31T23:59:01.500Z", "58 s ago"),
      ("2029-12-31T23:00:00Z", "60 min ago"), ("2029-12-31T00:00:00Z", "24 h ago"),
      ("2029-01-01T00:00:00Z", "365 d ago"), ("2031-01-01T00:00:00Z", "just now"), ("soon", nil), ("", nil),
    ])
  func ages(time: String, age: String?) throws {
    let now = try #require(try? Expiry.parse("2030-01-01", now: .init()))
    #expect(Age.ago(time, now: now) == age)
    #expect(Age.dated(time, now: now) == (age.map { "\(time) (\($0))" } ?? time))
  }
}
