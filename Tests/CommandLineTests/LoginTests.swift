import Testing

@testable import CommandLineTool

@Suite struct LoginTests {
  private func bench(terminal: Bool = false, input: [String] = []) throws -> Bench {
    var bench = try Bench(terminal: terminal, input: input)
    bench.environment["IAAS_TOKEN"] = nil
    bench.transport.answer("POST /iaas/sessions", "v1.tok\n", type: "text/plain; charset=utf-8")
    bench.transport.answer("DELETE /iaas/sessions", 204, "")
    bench.transport.answer("GET /iaas/vms", "[]")
    return bench
  }

  private func saved(_ bench: Bench) throws -> SavedLogin? {
    try ConfigurationFile(environment: bench.environment).read()
  }

  @Test func loggingInAndOut() async throws {
    let bench = try bench(input: ["pw"])
    #expect(await bench.run("vm", "ls") == .refused)
    #expect(bench.transport.requests.isEmpty)
    #expect(await bench.run("login", "ana") == .done)
    #expect(bench.body(0) == #"{"email":"ana","password":"pw"}"#)
    #expect(try saved(bench) == SavedLogin(url: ServerAddress.standard, token: "v1.tok", email: "ana"))
    #expect(await bench.run("vm", "ls") == .done)
    #expect(bench.transport.requests.last?.headers["Authorization"] == "Bearer v1.tok")
    #expect(await bench.run("logout") == .done)
    #expect(bench.transport.targets.last == "DELETE /iaas/sessions")
    #expect(try saved(bench)?.token == nil)
    #expect(await bench.run("vm", "ls") == .refused)
    #expect(!bench.console.out.contains("v1.tok") && !bench.console.err.joined().contains("v1.tok"))
  }

  @Test func thePasswordIsALineOfTheInput() async throws {
    for terminal in [false, true] {
      let bench = try bench(terminal: terminal, input: ["from input"])
      #expect(await bench.run("login", "ana") == .done)
      #expect(bench.body(0) == #"{"email":"ana","password":"from input"}"#)
      #expect(bench.console.err.contains("Password of ana: ") == terminal)
    }
  }

  @Test func noPasswordIsUsage() async throws {
    #expect(await (try bench()).run("login", "ana") == .usage)
    #expect(await (try bench()).run("login", "ana", "--password-file", "/nowhere/at/all") == .usage)
  }

  @Test func aServerCanBeNamed() async throws {
    let bench = try bench(input: ["pw"])
    #expect(await bench.run("login", "ana", "--url", "http://iaas.example.org") == .usage)
    #expect(bench.transport.requests.isEmpty)
    #expect(await bench.run("login", "ana", "--url", "https://iaas.example.org/", "-o", "json") == .done)
    #expect(bench.console.out == #"{"email":"ana","url":"https://iaas.example.org"}"# + "\n")
  }

  @Test(arguments: [("text/html", "<html></html>"), ("text/plain", "two words"), ("text/plain", "")])
  func aTokenThatIsNoneIsNotSaved(type: String, body: String) async throws {
    var bench = try Bench(input: ["pw"])
    bench.environment["IAAS_TOKEN"] = nil
    bench.transport.answer("POST /iaas/sessions", body, type: type)
    #expect(await bench.run("login", "ana") == .failed)
    #expect(try saved(bench) == nil)
  }

  @Test func loggingOutForgetsTheTokenEvenIfTheServerIsDown() async throws {
    var bench = try Bench(input: ["pw"])
    bench.environment["IAAS_TOKEN"] = nil
    bench.transport.answer("POST /iaas/sessions", "v1.tok", type: "text/plain")
    bench.transport.answer("DELETE /iaas/sessions", 503, "{}", type: "application/problem+json")
    #expect(await bench.run("login", "ana") == .done)
    #expect(await bench.run("logout") == .failed)
    #expect(try saved(bench)?.token == nil)
  }
}
