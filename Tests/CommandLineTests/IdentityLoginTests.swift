import Testing

@testable import CommandLineTool

@Suite struct IdentityLoginTests {
  private static let required = #"{"detail":"Send the code as `otp`.","code":"otp_required"}"#
  private static let problem = "application/problem+json"

  private func bench(terminal: Bool = false, input: [String] = []) throws -> Bench {
    var bench = try Bench(terminal: terminal, input: input)
    bench.environment["IAAS_TOKEN"] = nil
    return bench
  }

  private func token(of bench: Bench) throws -> String? {
    try ConfigurationFile(environment: bench.environment).read()?.token
  }

  @Test func theCodeIsAskedForWhenTheServerWantsIt() async throws {
    let bench = try bench(terminal: true, input: ["pw", " 123 456 "])
    bench.transport.answer("POST /iaas/sessions", 401, Self.required, type: Self.problem)
    bench.transport.answer("POST /iaas/sessions", "v1.tok", type: "text/plain")
    #expect(await bench.run("login", "ana") == .done)
    #expect(bench.body(0) == #"{"email":"ana","password":"pw"}"#)
    #expect(bench.body(1) == #"{"email":"ana","otp":"123456","password":"pw"}"#)
    #expect(bench.console.unseen == ["pw"])
    #expect(bench.console.err[1] == "Code of the second factor, or a recovery code: ")
    #expect(try token(of: bench) == "v1.tok")
  }

  @Test func aCodeThatIsGivenGoesWithThePassword() async throws {
    let bench = try bench(input: ["pw"])
    bench.transport.answer("POST /iaas/sessions", "v1.tok", type: "text/plain")
    #expect(await bench.run("login", "ana", "--otp", "123 456") == .done)
    #expect(bench.transport.requests.count == 1)
    #expect(bench.body(0) == #"{"email":"ana","otp":"123456","password":"pw"}"#)
  }

  @Test func withoutATerminalTheOptionIsNamed() async throws {
    let bench = try bench(input: ["pw", "123456"])
    bench.transport.answer("POST /iaas/sessions", 401, Self.required, type: Self.problem)
    #expect(await bench.run("login", "ana") == .refused)
    #expect(bench.transport.requests.count == 1)
    #expect(bench.console.err == ["iaas: The account has a second factor. Give its present code with --otp."])
  }

  @Test func aWrongCodeIsTheServersWord() async throws {
    let bench = try bench(terminal: true, input: ["pw", "1", "2"])
    bench.transport.answer("POST /iaas/sessions", 401, Self.required, type: Self.problem)
    bench.transport.answer(
      "POST /iaas/sessions", 401, #"{"detail":"The code is wrong.","code":"invalid_credentials"}"#, type: Self.problem)
    #expect(await bench.run("login", "ana") == .refused)
    #expect(bench.transport.requests.count == 2)
    #expect(bench.console.err.last == "iaas: The code is wrong.")
    #expect(try token(of: bench) == nil)
  }

  @Test(arguments: ["invalid_credentials", "otp_needed"])
  func noOtherRefusalAsksForACode(code: String) async throws {
    let bench = try bench(terminal: true, input: ["pw", "1"])
    bench.transport.answer("POST /iaas/sessions", 401, #"{"detail":"No.","code":"\#(code)"}"#, type: Self.problem)
    #expect(await bench.run("login", "ana") == .refused)
    #expect(bench.transport.requests.count == 1)
  }

  @Test func noCodeIsUsage() async throws {
    let bench = try bench(terminal: true, input: ["pw", " "])
    bench.transport.answer("POST /iaas/sessions", 401, Self.required, type: Self.problem)
    #expect(await bench.run("login", "ana") == .usage)
    #expect(await bench.run("login", "ana", "--otp", "") == .usage)
    #expect(bench.transport.requests.count == 1)
  }

  @Test(
    arguments: [
      ("Too many attempts; try again in 30 seconds.", "30", []), ("Slow down.", "30", ["Try again in 30 s."]),
      ("Slow down.", "0", []), ("Slow down.", "Fri, 31 Dec 2027 23:59:59 GMT", []),
    ] as [(String, String, [String])])
  func whenToTryAgainIsSaidOnce(detail: String, header: String, more: [String]) async throws {
    let bench = try bench(input: ["pw"])
    bench.transport.answer(
      "POST /iaas/sessions", 429, #"{"detail":"\#(detail)","code":"too_many_requests"}"#, type: Self.problem,
      headers: ["retry-after": header])
    #expect(await bench.run("login", "ana") == .failed)
    #expect(bench.console.err == ["iaas: \(detail)"] + more)
  }

  @Test(
    arguments: [
      ["login", "ana"], ["register", "ana"], ["user", "add", "ana"], ["user", "password", "ana"], ["password"],
      ["host", "add", "hv1", "agent"], ["totp", "enable"], ["totp", "disable"],
    ])
  func noMessageRepeatsASecretOfTheCommandLine(command: [String]) async throws {
    let console = FakeConsole()
    for strays in [["s3cret", "s3cret"], ["--password", "s3cret"]] {
      #expect(await IaaSCommand.run(command + strays, console: console) == .usage)
    }
    #expect(!console.err.isEmpty && !console.err.joined().contains("s3cret"))
    #expect(console.out.isEmpty)
  }

  @Test func registering() async throws {
    let bench = try bench(input: ["pw"])
    bench.transport.answer("POST /iaas/users", 201, Sample.userJSON())
    #expect(await bench.run("register", "ana", "--invitation", "i-code", "--url", "https://iaas.example.org") == .done)
    #expect(bench.body(0) == #"{"email":"ana","invitation":"i-code","password":"pw"}"#)
    #expect(bench.console.err == ["Now log in: iaas login ana --url https://iaas.example.org"])
    #expect(!bench.console.out.contains("i-code"))
  }

  @Test func registeringNeedsNoTokenAndSendsNone() async throws {
    let bench = try Bench(terminal: true, input: ["pw", "pw"])
    bench.transport.answer("POST /iaas/users", 201, Sample.userJSON())
    #expect(await bench.run("register", "ana") == .done)
    #expect(bench.transport.requests[0].headers["Authorization"] == nil)
    #expect(bench.body(0) == #"{"email":"ana","password":"pw"}"#)
    #expect(bench.console.err == ["New password of ana: ", "Once more: ", "Now log in: iaas login ana"])
  }

  @Test(arguments: [["register", "ana"], ["user", "add", "ana"]])
  func aNewPasswordIsTypedTwice(command: [String]) async throws {
    let bench = try Bench(terminal: true, input: ["pw", "pv"])
    #expect(await bench.run(command) == .usage)
    #expect(bench.transport.requests.isEmpty)
    #expect(bench.console.err.last == "iaas: The two passwords differ.")
    #expect(bench.console.unseen == ["pw", "pv"])
  }
}
