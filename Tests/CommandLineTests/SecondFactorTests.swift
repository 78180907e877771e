import Models
import Testing

@testable import CommandLineTool

@Suite struct SecondFactorTests {
  private static let path = "\(Sample.userPath)/totp"
  private static let secret = "JBSWY3DPEHPK3PXP"
  private static let url = "otpauth://totp/IaaS:ana?secret=JBSWY3DPEHPK3PXP&issuer=IaaS"
  private static let codes = #"{"id":"\#(Sample.user)","recoveryCodes":["ABCD","EFGH"]}"#
  private static let hint = "It counts once it is confirmed. To do so later: iaas totp confirm"

  private func bench(
    terminal: Bool = false, input: [String] = [], width: Int? = 80, errorsToFile: Bool = false
  ) throws -> Bench {
    let bench = try Bench(terminal: terminal, input: input, width: width, errorsToFile: errorsToFile)
    bench.transport.answer("GET /iaas/me", Sample.userJSON())
    bench.transport.answer(
      "POST \(Self.path)", 201, #"{"id":"\#(Sample.user)","secret":"\#(Self.secret)","url":"\#(Self.url)"}"#)
    bench.transport.answer("DELETE \(Self.path)", 204, "")
    return bench
  }

  private func refuseCode(_ bench: Bench) {
    bench.transport.answer(
      "PUT \(Self.path)", 401, #"{"detail":"The code is wrong.","code":"invalid_credentials"}"#,
      type: "application/problem+json")
  }

  @Test func enablingOnATerminal() async throws {
    let bench = try bench(terminal: true, input: ["pw", "123 456"])
    bench.transport.answer("PUT \(Self.path)", Self.codes)
    #expect(await bench.run("totp", "enable") == .done)
    #expect(bench.transport.targets == ["GET /iaas/me", "POST \(Self.path)", "PUT \(Self.path)"])
    #expect(bench.body(1) == #"{"currentPassword":"pw"}"#)
    #expect(bench.body(2) == #"{"otp":"123456"}"#)
    #expect(bench.console.unseen == ["pw"])
    #expect(bench.console.out == "RECOVERY CODE\nABCD\nEFGH\n")
    let err = bench.console.err
    #expect(err.first == "Password of ana: ")
    #expect(err.contains("  JBSW Y3DP EHPK 3PXP") && err.contains("  \(Self.url)"))
    let drawing = QRDrawing.lines(try #require(QRCode(Self.url)))
    let start = try #require(err.firstIndex(of: drawing[0]))
    #expect(Array(err[start...].prefix(drawing.count)) == drawing)
    #expect(err[start + drawing.count] == "Code that the app shows now: ")
    #expect(err.last?.contains("not shown again") == true)
  }

  @Test func recoveryCodesForPrograms() async throws {
    for (format, out) in [("json", Self.codes + "\n"), ("name", "ABCD\nEFGH\n")] {
      let bench = try bench(terminal: true, input: ["pw", "123456"])
      bench.transport.answer("PUT \(Self.path)", Self.codes)
      #expect(await bench.run("totp", "enable", "-o", format) == .done)
      #expect(bench.console.out == out)
    }
  }

  @Test(arguments: [nil, 41] as [Int?])
  func aTerminalThatIsTooNarrowGetsTheSecretAlone(width: Int?) async throws {
    let bench = try bench(terminal: true, input: ["pw", "123456"], width: width)
    bench.transport.answer("PUT \(Self.path)", Self.codes)
    #expect(await bench.run("totp", "enable") == .done)
    #expect(!bench.console.err.contains { $0.contains("\u{1B}") })
    #expect(bench.console.err.contains("  JBSW Y3DP EHPK 3PXP"))
    #expect(bench.console.err.contains("This terminal is too narrow to show the code."))
  }

  @Test func aWrongCodeMayBeTypedAgain() async throws {
    let bench = try bench(terminal: true, input: ["pw", "1", "2", "3"])
    for _ in 1...2 { refuseCode(bench) }
    bench.transport.answer("PUT \(Self.path)", Self.codes)
    #expect(await bench.run("totp", "enable") == .done)
    #expect(bench.console.err.filter { $0 == "The code is wrong." }.count == 2)
    #expect((2...4).map(bench.body) == [#"{"otp":"1"}"#, #"{"otp":"2"}"#, #"{"otp":"3"}"#])
  }

  @Test func threeWrongCodesAreEnough() async throws {
    let bench = try bench(terminal: true, input: ["pw", "1", "2", "3", "4"])
    refuseCode(bench)
    #expect(await bench.run("totp", "enable") == .refused)
    #expect(bench.transport.targets.count == 5)
    #expect(bench.console.err.suffix(2) == ["iaas: The code is wrong.", Self.hint])
    #expect(bench.console.out.isEmpty)
  }

  @Test func anotherFailureIsNotTriedAgain() async throws {
    let bench = try bench(terminal: true, input: ["pw", "1", "2"])
    bench.transport.answer(
      "PUT \(Self.path)", 429, #"{"detail":"Slow down.","code":"too_many_requests"}"#,
      type: "application/problem+json", headers: ["retry-after": "30"])
    #expect(await bench.run("totp", "enable") == .failed)
    #expect(bench.transport.targets.count == 3)
    #expect(bench.console.err.suffix(3) == ["iaas: Slow down.", "Try again in 30 s.", Self.hint])
  }

  @Test func withoutACodeItCanBeConfirmedLater() async throws {
    let bench = try bench(terminal: true, input: ["pw"])
    #expect(await bench.run("totp", "enable") == .usage)
    #expect(bench.console.err.suffix(2) == ["iaas: No code was given.", Self.hint])
  }

  @Test(arguments: [false, true])
  func withoutATerminalItNeedsAFile(errorsToFile: Bool) async throws {
    let bench = try bench(terminal: errorsToFile, input: ["pw"], errorsToFile: errorsToFile)
    #expect(await bench.run("totp", "enable") == .usage)
    #expect(bench.transport.requests.isEmpty)
    #expect(bench.console.err.last?.contains("--password-file") == true)
  }

  /// Standard error may be kept in a file.
  @Test(arguments: [false, true])
  func withoutATerminalTheEnrolmentIsTheResult(errorsToFile: Bool) async throws {
    let bench = try bench(terminal: errorsToFile, errorsToFile: errorsToFile)
    let file = try bench.folder.write("pw\n", to: "pw")
    #expect(await bench.run("totp", "enable", "--password-file", file, "-o", "json") == .done)
    let json = #"{"id":"\#(Sample.user)","secret":"\#(Self.secret)","url":"\#(Self.url)"}"#
    #expect(bench.console.out == json + "\n")
    #expect(bench.console.err == [Self.hint])
    #expect(await bench.run("totp", "enable", "--password-file", file) == .done)
    #expect(bench.console.out.hasSuffix("\nSECRET  JBSW Y3DP EHPK 3PXP\nURL     \(Self.url)\n"))
    #expect(!bench.console.err.joined().contains("JBSW"))
  }

  @Test(arguments: [["123456"], ["123 456"], ["123", "456"], []])
  func confirming(code: [String]) async throws {
    let bench = try bench(terminal: code.isEmpty, input: ["123 456"])
    bench.transport.answer("PUT \(Self.path)", Self.codes)
    #expect(await bench.run(["totp", "confirm"] + code) == .done)
    #expect(bench.body(1) == #"{"otp":"123456"}"#)
    #expect(bench.console.out == "RECOVERY CODE\nABCD\nEFGH\n")
  }

  @Test(arguments: [["--otp", "123 456"], []])
  func disabling(otp: [String]) async throws {
    let bench = try bench(terminal: otp.isEmpty, input: ["123456"])
    #expect(await bench.run(["totp", "disable"] + otp) == .done)
    #expect(bench.transport.targets == ["GET /iaas/me", "DELETE \(Self.path)"])
    #expect(bench.body(1) == #"{"otp":"123456"}"#)
    #expect(bench.transport.requests[1].headers["Content-Type"] == "application/json")
    #expect(bench.console.err.last == "The second factor of ana (\(Sample.user)) is off.")
  }

  @Test(arguments: ["disable", "confirm"])
  func withoutATerminalTheCodeIsGiven(verb: String) async throws {
    let bench = try bench(input: ["123456"])
    #expect(await bench.run("totp", verb) == .usage)
    #expect(bench.transport.requests.isEmpty)
  }

  @Test func resettingThatOfAnother() async throws {
    let bench = try bench()
    bench.transport.answer("GET \(Sample.userPath)", Sample.userJSON())
    #expect(await bench.run("totp", "reset", Sample.user, "-o", "json") == .done)
    #expect(bench.transport.targets == ["GET \(Sample.userPath)", "DELETE \(Self.path)"])
    #expect(bench.transport.requests[1].body == nil)
    #expect(bench.console.out == #"{"email":"ana","id":"\#(Sample.user)"}"# + "\n")
  }

  @Test func aHostileServerMovesNoCursor() async throws {
    let bench = try Bench(terminal: true, input: ["pw", "1"], width: 200)
    bench.transport.answer("GET /iaas/me", Sample.userJSON(email: #"a\u001b[2J"#))
    bench.transport.answer(
      "POST \(Self.path)", 201, #"{"id":"\#(Sample.user)","secret":"A\u001b[2J","url":"u\u001b]0;x"}"#)
    bench.transport.answer("PUT \(Self.path)", #"{"id":"\#(Sample.user)","recoveryCodes":["\u001b[2J"]}"#)
    #expect(await bench.run("totp", "enable") == .done)
    let lines = bench.console.err.filter { !$0.hasPrefix(QRDrawing.begin) } + [bench.console.out]
    #expect(!lines.contains { $0.contains("\u{1B}") })
  }
}
