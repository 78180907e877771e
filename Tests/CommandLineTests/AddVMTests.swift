import Foundation
import Testing

@testable import CommandLineTool

@Suite struct AddVMTests {
  private func bench(input: [String] = []) throws -> Bench {
    let bench = try Bench(input: input)
    bench.transport.answer("POST /iaas/vms", 201, Sample.guestJSON([], state: "stopped"))
    bench.transport.answer("GET /iaas/keys", "[\(Sample.keyJSON()),\(Sample.keyJSON("other"))]")
    return bench
  }

  private func sent(_ bench: Bench) throws -> [String: Any] {
    let body = try #require(bench.transport.requests.last { $0.method == .post }?.body)
    return try #require(try JSONSerialization.jsonObject(with: body) as? [String: Any])
  }

  @Test func storedKeysAreLookedUpOnce() async throws {
    let bench = try bench()
    #expect(
      await bench.run("vm", "add", Sample.image, "--key", "laptop", "--key", Sample.user, "--group", "web") == .done)
    #expect(bench.transport.targets == ["GET /iaas/keys", "POST /iaas/vms", "GET /iaas/me"])
    #expect(try sent(bench)["keys"] as? [String] == [Sample.key, Sample.user])
    #expect(try sent(bench)["group"] as? String == "web")
    #expect(try sent(bench)["start"] as? Bool == false)
  }

  @Test func aKeyThatIsNotStored() async throws {
    let bench = try bench()
    #expect(await bench.run("vm", "add", Sample.image, "--key", "phone") == .notFound)
    #expect(bench.transport.targets == ["GET /iaas/keys"])
  }

  @Test func withoutKeysTheServerTakesTheDefaultOnes() async throws {
    let bench = try bench()
    #expect(await bench.run("vm", "add", Sample.image) == .done)
    #expect(bench.body(0) == #"{"image":"\#(Sample.image)","sshKeys":[],"start":false}"#)
  }

  @Test func aKeyMayBeGivenAsItIs() async throws {
    let bench = try bench()
    #expect(await bench.run("vm", "add", Sample.image, "--ssh-key", "\(Sample.edKey) ana") == .done)
    #expect(try sent(bench)["sshKeys"] as? [String] == ["\(Sample.edKey) ana"])
  }

  @Test func userDataFromAFileOrTheInput() async throws {
    let text = "#cloud-config\nusers: [é]"
    let bench = try bench(input: ["#cloud-config", "users: [é]"])
    let file = try bench.folder.write(text, to: "u.yaml")
    for source in [file, "-"] {
      #expect(await bench.run("vm", "add", Sample.image, "--user-data", source) == .done)
      #expect(try sent(bench)["userData"] as? String == text)
    }
  }

  @Test func userDataHasALimit() async throws {
    let most = String(repeating: "x", count: 64 << 10)
    for (text, status) in [(most, CommandStatus.done), (most + "x", .usage), ("a\0b", .usage)] {
      let bench = try bench(input: [text])
      let file = try bench.folder.write(text, to: "u")
      for source in ["-", file] {
        #expect(await bench.run("vm", "add", Sample.image, "--user-data", source) == status)
      }
      #expect(bench.transport.requests.filter { $0.method == .post }.count == (status == .done ? 2 : 0))
    }
    #expect(await (try bench()).run("vm", "add", Sample.image, "--user-data", "/nowhere/at/all") == .usage)
  }

  @Test func whatIsLeftOfTheQuotaIsTold() async throws {
    let bench = try bench()
    bench.transport.answer(
      "GET /iaas/me",
      #"""
      {"id":"\#(Sample.user)","email":"ana","limits":{"vms":10,"mem":4096,"images":3},"usage":{"vms":4,"mem":5000}}
      """#)
    #expect(await bench.run("vm", "add", Sample.image) == .done)
    #expect(bench.console.err.last == "Left of your quota: 6 VMs, 0 B of memory.")
    #expect(await bench.run("vm", "add", Sample.image, "-o", "json") == .done)
    #expect(bench.console.err.count == 1)
  }

  @Test func waitingMeansStarting() async throws {
    let bench = try Bench()
    bench.transport.answer("POST /iaas/vms", 201, Sample.guestJSON(["booted", "network", "ssh"]))
    #expect(await bench.run("vm", "add", Sample.image, "--wait", "ssh", "-o", "name") == .done)
    #expect(bench.body(0) == #"{"image":"\#(Sample.image)","sshKeys":[],"start":true}"#)
    #expect(bench.transport.requests.count == 1)
    #expect(bench.console.err == ["Log in with: ssh root@10.0.0.7"])
  }
}
