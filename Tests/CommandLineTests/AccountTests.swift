import Testing

@testable import CommandLineTool

@Suite struct AccountTests {
  private static let other = "0199f3a2-3333-7000-8000-00000000000f"

  /// Ana is logged in, and bob is another person.
  private func bench(terminal: Bool = false, input: [String] = [], saved: Bool = false) throws -> Bench {
    var bench = try Bench(terminal: terminal, input: input)
    if saved {
      bench.environment["IAAS_TOKEN"] = nil
      try ConfigurationFile(environment: bench.environment).write(
        SavedLogin(url: ServerAddress.standard, token: "v1.tok", email: "ana"))
    }
    let bob = Sample.userJSON(email: "bob").replacing(Sample.user, with: Self.other)
    bench.transport.answer("GET /iaas/me", Sample.userJSON())
    bench.transport.answer("GET \(Sample.userPath)", Sample.userJSON())
    bench.transport.answer("GET /iaas/users?query=email%20%3D%20%27bob%27", "[\(bob)]")
    bench.transport.answer("PUT \(Sample.userPath)", Sample.userJSON())
    bench.transport.answer("PUT /iaas/users/\(Self.other)", bob)
    return bench
  }

  @Test(arguments: [["me"], ["user", "show", Sample.user]])
  func everythingAboutAPerson(command: [String]) async throws {
    let bench = try Bench()
    let json = Sample.userJSON(quota: #"{"mem":2048,"vms":null,"gpus":3}"#)
    bench.transport.answer("GET /iaas/me", json)
    bench.transport.answer("GET \(Sample.userPath)", json)
    #expect(await bench.run(command) == .done)
    let lines = bench.console.out.split(separator: "\n")
    #expect(lines.contains("ADMIN       no") && lines.contains("DISABLED    yes") && lines.contains("TOTP        yes"))
    #expect(lines.contains("QUOTA       vms unlimited, mem 2 GiB, gpus 3"))
    #expect(await bench.run(command + ["-o", "json"]) == .done)
    #expect(bench.console.out.hasSuffix(json + "\n"))
  }

  @Test func theListTellsWhoIsKeptOutAndWhoHasASecondFactor() async throws {
    let bench = try Bench()
    bench.transport.answer("GET /iaas/users", #"[\#(Sample.userJSON()),{"id":"\#(Self.other)","email":"b"}]"#)
    #expect(await bench.run("user", "ls") == .done)
    #expect(
      bench.console.out == """
        ID                                    EMAIL  ADMIN  DISABLED  TOTP  CREATED  LAST LOGIN
        \(Sample.user)  ana    no     yes       yes   -        -
        \(Self.other)  b      -      -         -     -        -

        """)
  }

  @Test(
    arguments: [
      (["--admin", "true"], #"{"admin":true}"#), (["--disabled", "false"], #"{"disabled":false}"#),
      (["--disabled", "true", "--admin", "false"], #"{"admin":false,"disabled":true}"#),
      (["--email", "bo"], #"{"email":"bo"}"#),
    ])
  func updating(options: [String], body: String) async throws {
    let bench = try bench()
    #expect(await bench.run(["user", "update", "bob", "-o", "name"] + options) == .done)
    #expect(bench.transport.targets.last == "PUT /iaas/users/\(Self.other)")
    #expect(bench.body(bench.transport.requests.count - 1) == body)
    #expect(bench.console.out == "bob\n")
  }

  @Test func onesOwnEmailNeedsThePassword() async throws {
    for terminal in [false, true] {
      let bench = try bench(terminal: terminal, input: ["pw"])
      #expect(await bench.run("user", "update", Sample.user, "--email", "a2") == .done)
      #expect(bench.transport.targets == ["GET /iaas/me", "PUT \(Sample.userPath)"])
      #expect(bench.body(1) == #"{"currentPassword":"pw","email":"a2"}"#)
      #expect(bench.console.unseen == (terminal ? ["pw"] : []))
    }
  }

  @Test func onesOwnEmailWithAFile() async throws {
    let bench = try bench()
    let file = try bench.folder.write("p w\nx\n", to: "pw")
    let status = await bench.run("user", "update", Sample.user, "--email", "a2", "--current-password-file", file)
    #expect(status == .done)
    #expect(bench.body(1) == #"{"currentPassword":"p w","email":"a2"}"#)
  }

  @Test func changingOnesPasswordForgetsTheLogin() async throws {
    let bench = try bench(terminal: true, input: ["old", "new", "new"], saved: true)
    #expect(await bench.run("password") == .done)
    #expect(bench.transport.targets == ["GET /iaas/me", "PUT \(Sample.userPath)"])
    #expect(bench.transport.requests[1].headers["Authorization"] == "Bearer v1.tok")
    #expect(bench.body(1) == #"{"currentPassword":"old","password":"new"}"#)
    #expect(bench.console.unseen == ["old", "new", "new"])
    #expect(bench.console.err.prefix(3) == ["Your present password: ", "New password: ", "Once more: "])
    #expect(bench.console.err.last?.hasSuffix("Log in again: iaas login ana") == true)
    let saved = try ConfigurationFile(environment: bench.environment).read()
    #expect(saved == SavedLogin(url: ServerAddress.standard, token: nil, email: "ana"))
    #expect(await bench.run("me") == .refused)
  }

  @Test func changingOnesPasswordFromFilesAndTheInput() async throws {
    let bench = try bench(input: ["old", "new"])
    #expect(await bench.run("password") == .done)
    #expect(bench.body(1) == #"{"currentPassword":"old","password":"new"}"#)
    #expect(bench.console.err.last == "IAAS_TOKEN is set, and is no longer good.")
    let (old, new) = (try bench.folder.write("old", to: "old"), try bench.folder.write("new", to: "new"))
    #expect(await bench.run("password", "--current-password-file", old, "--password-file", new) == .done)
    #expect(bench.body(3) == #"{"currentPassword":"old","password":"new"}"#)
  }

  @Test func aRefusedPasswordKeepsTheLogin() async throws {
    let bench = try Bench(terminal: true, input: ["old", "new", "new"])
    var saving = bench
    saving.environment["IAAS_TOKEN"] = nil
    let file = ConfigurationFile(environment: saving.environment)
    try file.write(SavedLogin(url: ServerAddress.standard, token: "v1.tok", email: "ana"))
    bench.transport.answer("GET /iaas/me", Sample.userJSON())
    bench.transport.answer(
      "PUT \(Sample.userPath)", 403, #"{"detail":"The present password is wrong.","code":"forbidden"}"#)
    #expect(await saving.run("password") == .refused)
    #expect(bench.console.err.last == "iaas: The present password is wrong.")
    #expect(try file.read()?.token == "v1.tok")
  }

  @Test(arguments: [["old", "new", "newer"], ["old", ""], ["old"], [""], []])
  func whatIsNoNewPasswordIsNotSent(input: [String]) async throws {
    let bench = try bench(terminal: true, input: input)
    #expect(await bench.run("password") == .usage)
    #expect(bench.transport.targets == ["GET /iaas/me"])
  }

  @Test func settingThePasswordOfAnother() async throws {
    for terminal in [false, true] {
      let bench = try bench(terminal: terminal, input: ["new", "new"])
      #expect(await bench.run("user", "password", "bob") == .done)
      #expect(bench.transport.targets.suffix(2) == ["GET /iaas/me", "PUT /iaas/users/\(Self.other)"])
      #expect(bench.body(2) == #"{"password":"new"}"#)
      #expect(bench.console.err.contains("New password of bob: ") == terminal)
      #expect(!bench.console.err.joined().contains("new"))
    }
  }

  @Test func onesOwnPasswordIsNotSetThatWay() async throws {
    let bench = try bench(input: ["new"])
    #expect(await bench.run("user", "password", Sample.user) == .usage)
    #expect(bench.console.err == ["iaas: ana is you. Change your own password with: iaas password"])
    #expect(!bench.transport.targets.contains { $0.hasPrefix("PUT") })
  }

  @Test func allThatIsHeldAboutAPerson() async throws {
    let bench = try bench()
    bench.transport.answer("GET \(Sample.userPath)/export", #"{"z":[1.50,{}],"a":"b"}"#)
    #expect(await bench.run("user", "export", Sample.user) == .done)
    #expect(bench.console.out == "{\n  \"z\": [\n    1.50,\n    {}\n  ],\n  \"a\": \"b\"\n}\n")
    #expect(await bench.run("user", "export", Sample.user, "-o", "json") == .done)
    #expect(bench.console.out.hasSuffix("}\n" + #"{"z":[1.50,{}],"a":"b"}"# + "\n"))
  }

  @Test(arguments: [("application/json", "{"), ("text/html", "<html>"), ("application/json", "")])
  func anExportThatIsNoneIsNotPrinted(type: String, body: String) async throws {
    let bench = try bench()
    bench.transport.answer("GET \(Sample.userPath)/export", body, type: type)
    #expect(await bench.run("user", "export", Sample.user) == .failed)
    #expect(bench.console.out.isEmpty)
  }
}
