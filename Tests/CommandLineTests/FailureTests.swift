import Testing

@testable import CommandLineTool

@Suite struct FailureTests {
  @Test(
    arguments: [
      (400, "bad_query", CommandStatus.failed), (401, "unauthenticated", .refused), (403, "forbidden", .refused),
      (403, "quota_exceeded", .quotaExceeded), (404, "not_found", .notFound), (409, "invalid_state", .conflict),
      (422, "invalid_field", .failed), (500, "internal_error", .failed), (507, "no_capacity", .noCapacity),
      (507, "no_space", .failed), (404, "a_code_of_tomorrow", .notFound),
    ])
  func statuses(http: Int, code: String, status: CommandStatus) async throws {
    let bench = try Bench()
    let body = #"{"title":"T","detail":"D.","status":\#(http),"code":"\#(code)","requestId":"r1"}"#
    bench.transport.answer("GET /iaas/vms", http, body, type: "application/problem+json")
    #expect(await bench.run("vm", "ls") == status)
    #expect(bench.console.err == [http >= 500 ? "iaas: D. (request r1)" : "iaas: D."])
    #expect(bench.console.out.isEmpty)
  }

  @Test func theNumbersArePublic() {
    let all: [CommandStatus] = [
      .done, .failed, .usage, .notFound, .refused, .conflict, .quotaExceeded, .noCapacity, .timedOut,
    ]
    #expect(all.map(\.rawValue) == Array(0...8))
  }

  @Test func fieldsThatTheSentenceLacksAreASecondLine() async throws {
    let bench = try Bench()
    let errors = #"[{"field":"addr","message":"bad."},{"field":"user","message":"worse."}]"#
    bench.transport.answer(
      "GET /iaas/vms", 422, #"{"detail":"addr: bad.","errors":\#(errors)}"#, type: "application/problem+json")
    _ = await bench.run("vm", "ls")
    #expect(bench.console.err == ["iaas: addr: bad.", "user: worse."])
  }

  @Test(
    arguments: [
      (200, "text/html", "<html>"), (200, "application/json", #"[{"id""#), (200, "application/json", #"[{"id":"x"}]"#),
      (200, "", ""), (404, "text/html", "<h1>404</h1>"), (502, "text/plain", "bad gateway"),
      (500, "application/json", "nonsense"), (302, "text/plain", ""),
    ])
  func whatCannotBeReadIsOneLine(http: Int, type: String, body: String) async throws {
    let bench = try Bench()
    bench.transport.answer("GET /iaas/vms", http, body, type: type, headers: ["location": "http://else\u{1B}where"])
    #expect(await bench.run("vm", "ls") == .failed)
    #expect(bench.console.err.count == 1)
    #expect(bench.console.err.first?.contains("\u{1B}") == false)
  }

  @Test(
    arguments: [
      ["vm", "frob"], ["vm", "ls", "-o", "xml"], ["image", "add"], ["vm", "ls", "--nonsense"],
      ["vm", "start", "x", "--timeout", "-1"], ["user", "add", "a", "b", "--password-file", "f"],
      ["vm", "ls", "--limit", "0"], ["vm", "ls", "--sort", "a b"], ["vm", "ls", "--sort", "--limit", "3"],
      ["image", "update", "x"], ["image", "share", "x"], ["image", "share", "x", "ana", "--role", "god"],
      ["vm", "unshare", "x", ""], ["image", "upload"], ["image", "add", "https://e.org"],
      ["image", "upload", "/nowhere/at/all"], ["vm", "share", "x", "ana", "--expires", "soon"],
      ["session", "rm"], ["session", "rm", "x", "--others"], ["user", "update", "x"], ["register"], ["totp", "frob"],
      ["user", "update", "x", "--admin", "perhaps"], ["user", "quota"], ["user", "password"], ["totp", "reset"],
      ["audit", "--limit", "0"], ["audit", "--sort", "a b"], ["invitation", "add", "--expires", "soon"],
    ])
  func usageIsTwo(arguments: [String]) async {
    let console = FakeConsole()
    #expect(await IaaSCommand.run(arguments, console: console) == .usage)
    #expect(console.out.isEmpty)
    #expect(!console.err.isEmpty)
  }

  @Test(arguments: [["--help"], ["vm", "add", "--help"], ["--version"], ["help", "login"], []])
  func helpIsAResult(arguments: [String]) async {
    let console = FakeConsole()
    #expect(await IaaSCommand.run(arguments, console: console) == .done)
    #expect(!console.out.isEmpty)
    #expect(console.err.isEmpty)
  }

  @Test func noServerIsOneLineThatNamesIt() async throws {
    let console = FakeConsole()
    let client = try ServerAddress("http://127.0.0.1:1", allowInsecureHTTP: false)
    let failure = await #expect(throws: CommandFailure.self) {
      try await HTTPTransport.withTransport(ca: nil) { _ = try await $0.send(.get("/iaas/vms"), to: client) }
    }
    #expect(IaaSCommand.report(try #require(failure), console: console) == .failed)
    #expect(console.err.count == 1)
    #expect(console.err.first?.contains("http://127.0.0.1:1") == true)
  }

  @Test func controlCOverAPasswordInterrupts() throws {
    #expect(throws: CommandFailure.self) { try UnseenInput.line([97, 3]) }
    #expect(try UnseenInput.line([97, 10]) == "a")
    #expect(try UnseenInput.line([]) == nil)
  }

  @Test func versionInEveryFormat() throws {
    for (format, text) in [("table", "iaas 0.1.0\n"), ("name", "0.1.0\n"), ("json", "{\"version\":\"0.1.0\"}\n")] {
      let console = FakeConsole()
      try VersionCommand.parse(["-o", format]).print(on: console)
      #expect(console.out == text)
    }
  }
}

@Suite struct UnknownCommandTests {
  @Test(
    arguments: [
      (["vmm", "ls"], #"There is no command "vmm"; did you mean "vm"?"#),
      (["vm", "strat", "x"], #"There is no command "vm strat"; did you mean "vm start"?"#),
      (["xyzzy"], #"There is no command "xyzzy"; iaas --help lists them."#),
      (["image", "frobnicate"], #"There is no command "image frobnicate"; iaas image --help lists them."#),
    ])
  func theNearestIsNamed(arguments: [String], complaint: String) async {
    let console = FakeConsole()
    #expect(await IaaSCommand.run(arguments, console: console) == .usage)
    #expect(console.err == ["iaas: \(complaint)"])
  }
}
