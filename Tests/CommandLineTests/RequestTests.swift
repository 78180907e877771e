import ArgumentParser
import Foundation
import Testing

@testable import CommandLineTool

@Suite struct RequestTests {
  @Test func aListPassesTheRestOfTheLineAsQuery() async throws {
    let bench = try Bench()
    let target = "GET /iaas/vms?query=state%20%3D%20%27r%26%C3%A9%27"
    bench.transport.answer(target, "[]")
    #expect(await bench.run("vm", "ls", "state", "=", "'r&é'", "-o", "json") == .done)
    #expect(bench.transport.targets == [target])
    #expect(bench.transport.requests.first?.headers["Authorization"] == "Bearer secret")
  }

  @Test(arguments: ["user", "host", "image", "vm", "operation", "invitation", "session", "key"])
  func everyKindIsListed(noun: String) async throws {
    for verb in ["ls", "list"] {
      let bench = try Bench()
      bench.transport.answer("GET /iaas/\(noun)s", "[]")
      #expect(await bench.run(noun, verb) == .done)
    }
  }

  @Test func addingAUser() async throws {
    let bench = try Bench(input: ["pw"])
    bench.transport.answer("POST /iaas/users", 201, #"{"id":"\#(Sample.user)","email":"ana"}"#)
    #expect(await bench.run("user", "add", "ana", "--admin", "-o", "name") == .done)
    #expect(bench.body(0) == #"{"admin":true,"email":"ana","password":"pw"}"#)
    #expect(bench.console.out == "ana\n")
  }

  @Test func addingAHostWithAPasswordFromAFile() async throws {
    let bench = try Bench()
    let file = try bench.folder.write("p w\nsecond\n", to: "pw")
    bench.transport.answer("POST /iaas/hosts", 201, #"{"id":"\#(Sample.user)","addr":"hv1","state":"up"}"#)
    #expect(await bench.run("host", "add", "hv1", "enrol", "--password-file", file, "--fingerprint", "AB") == .done)
    #expect(bench.body(0) == #"{"addr":"hv1","fingerprint":"AB","password":"p w","user":"enrol"}"#)
  }

  @Test func addingAnImage() async throws {
    let bench = try Bench()
    bench.transport.answer("POST /iaas/images", 201, Sample.imageJSON())
    #expect(await bench.run("image", "add", "https://e.org/a", "debian", "D 12", "--sha256", "00") == .done)
    #expect(bench.body(0) == #"{"desc":"D 12","name":"debian","sha256":"00","url":"https://e.org/a"}"#)
    #expect(bench.transport.requests.first?.headers["Prefer"] == "wait=10")
    #expect(bench.transport.requests.first?.headers["Content-Type"] == "application/json")
  }

  @Test func addingAVM() async throws {
    let bench = try Bench()
    let key = try bench.folder.write("# mine\nssh-ed25519 AAAA ana@pc\n", to: "id.pub")
    bench.transport.answer("GET /iaas/images?query=name%20%3D%20%27debian%27", "[\(Sample.imageJSON())]")
    bench.transport.answer("POST /iaas/vms", 201, Sample.vmJSON(state: "running", ip: "10.0.0.7"))
    let status = await bench.run(
      "vm", "add", "debian", "2G", "--name", "web1", "--vcpus", "2", "--disk", "10", "--ssh-key", key, "--ssh-key", key,
      "--start")
    #expect(status == .done)
    let keys = #"["ssh-ed25519 AAAA ana@pc","ssh-ed25519 AAAA ana@pc"]"#
    let expected =
      #"{"disk":10,"image":"\#(Sample.image)","mem":2048,"name":"web1","sshKeys":\#(keys),"start":true,"vcpus":2}"#
    #expect(bench.body(1) == expected)
    #expect(bench.console.err == ["Log in with: ssh root@10.0.0.7"])
  }

  @Test func aPrivateKeyStaysHere() async throws {
    let bench = try Bench()
    let key = try bench.folder.write("-----BEGIN OPENSSH PRIVATE KEY-----\nAAAA BBBB\n", to: "id")
    #expect(await bench.run("vm", "add", Sample.image, "--ssh-key", key) == .usage)
    #expect(bench.transport.requests.isEmpty)
  }

  @Test func memoryThatIsNoneIsUsage() async throws {
    #expect(await (try Bench()).run("vm", "add", Sample.image, "lots") == .usage)
  }

  @Test(arguments: [("start", "running"), ("stop", "stopped")])
  func power(verb: String, state: String) async throws {
    let bench = try Bench()
    bench.transport.answer("PUT /iaas/vms/\(Sample.vm)", Sample.vmJSON(state: state))
    #expect(await bench.run("vm", verb, Sample.vm.uppercased()) == .done)
    #expect(bench.body(0) == #"{"state":"\#(verb)"}"#)
  }

  @Test func showIsOneGET() async throws {
    let bench = try Bench()
    bench.transport.answer("GET /iaas/images/\(Sample.image)", Sample.imageJSON())
    #expect(await bench.run("image", "show", Sample.image) == .done)
    #expect(bench.console.out.contains("DESCRIPTION   d\n"))
    #expect(bench.console.out.contains("SIZE          3 GiB\n"))
  }

  @Test func jsonIsTheServersOwn() async throws {
    let bench = try Bench()
    bench.transport.answer("GET /iaas/images/\(Sample.image)", Sample.imageJSON(name: "caf\u{9B}é"))
    #expect(await bench.run("image", "show", Sample.image, "-o", "json") == .done)
    #expect(bench.console.out == Sample.imageJSON(name: "caf\u{9B}é") + "\n")
  }

  @Test func jsonOnATerminalMovesNoCursor() async throws {
    let bench = try Bench(terminal: true)
    bench.transport.answer("GET /iaas/images/\(Sample.image)", Sample.imageJSON(name: "caf\u{9B}é"))
    #expect(await bench.run("image", "show", Sample.image, "-o", "json") == .done)
    #expect(bench.console.out == Sample.imageJSON(name: "caf\u{FFFD}é") + "\n")
  }

  @Test func removingAsksAtATerminal() async throws {
    for (answer, status) in [("n", CommandStatus.failed), ("y", .done)] {
      let bench = try Bench(terminal: true, input: [answer])
      bench.transport.answer(
        "GET /iaas/vms?query=name%20%3D%20%27web1%27", "[\(Sample.vmJSON(state: "stopped"))]")
      bench.transport.answer("DELETE /iaas/vms/\(Sample.vm)", 204, "")
      #expect(await bench.run("vm", "rm", "web1") == status)
      #expect(bench.transport.requests.count == (status == .done ? 2 : 1))
    }
  }

  @Test(arguments: [[], ["-y"]])
  func aScriptIsNotAsked(yes: [String]) async throws {
    let bench = try Bench()
    bench.transport.answer("DELETE /iaas/vms/\(Sample.vm)", 204, "")
    #expect(await bench.run(["vm", "rm", Sample.vm, "-o", "json"] + yes) == .done)
    #expect(bench.console.out == #"{"id":"\#(Sample.vm)"}"# + "\n")
  }

  @Test func whatGoesWithAPersonOrAHostIsNamed() async throws {
    let person = try Bench(terminal: true, input: ["n"])
    person.transport.answer("GET \(Sample.userPath)", Sample.userJSON())
    person.transport.answer("GET \(Sample.userPath)/usage", #"{"held":{"vms":3,"images":0,"mem":1}}"#)
    #expect(await person.run("user", "rm", Sample.user) == .failed)
    #expect(
      person.console.err.first
        == "Remove the user ana (\(Sample.user)) with all of their 3 VMs that nobody else owns? [y/N] ")
    let host = try Bench(terminal: true, input: ["n"])
    host.transport.answer("GET \(Sample.hostPath)", Sample.hostJSON())
    host.transport.answer(
      "GET /iaas/vms?query=host%20%3D%20%27\(Sample.host)%27", "[\(Sample.vmJSON(state: "stopped"))]")
    #expect(await host.run("host", "rm", Sample.host, "--cascade") == .failed)
    #expect(host.console.err.first?.hasSuffix("with its VMs web1, and their disks? [y/N] ") == true)
  }

  @Test func everyVerbHasAnAbstractAndAnExample() {
    for command in Self.commands(under: IaaSCommand.self) {
      #expect(!command.configuration.abstract.isEmpty, "\(command)")
      #expect(command.configuration.discussion.contains("Example: iaas "), "\(command)")
    }
  }

  private static func commands(under command: any ParsableCommand.Type) -> [any ParsableCommand.Type] {
    [command] + command.configuration.subcommands.flatMap { commands(under: $0) }
  }
}
