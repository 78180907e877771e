import Foundation
import Testing

@testable import CommandLineTool

@Suite struct SharingTests {
  private static let permission = """
    {"id":"\(Sample.user)","user":"\(Sample.user)","email":"ana@example.org","resource":"\(Sample.vm)","type":"vm",\
    "role":"viewer","createdAt":"2026-01-01T00:00:00.000Z","expiresAt":"2027-01-01T00:00:00.000Z","future":1}
    """

  @Test(arguments: [("image", Sample.image), ("vm", Sample.vm)])
  func sharing(noun: String, id: String) async throws {
    let bench = try Bench()
    bench.transport.answer("POST /iaas/\(noun)s/\(id)/shares", 201, Self.permission)
    let status = await bench.run(
      noun, "share", id, "ana@example.org", "--role", "viewer", "--expires", "2027-01-01T01:00:00+01:00")
    #expect(status == .done)
    #expect(bench.body(0) == #"{"expiresAt":"2027-01-01T00:00:00Z","role":"viewer","user":"ana@example.org"}"#)
    #expect(bench.console.out.contains("ana@example.org  viewer  2026-01-01T00:00:00.000Z  2027-01-01T00:00:00.000Z\n"))
    #expect(bench.transport.requests.first?.headers["Prefer"] == nil)
  }

  @Test func withoutARoleTheOtherOwnsItToo() async throws {
    let bench = try Bench()
    bench.transport.answer("POST /iaas/vms/\(Sample.vm)/shares", 201, Self.permission)
    #expect(await bench.run("vm", "share", Sample.vm, Sample.user, "-o", "name") == .done)
    #expect(bench.body(0) == #"{"role":"owner","user":"\#(Sample.user)"}"#)
    #expect(bench.console.out == "ana@example.org\n")
  }

  @Test func aDurationBeginsNow() async throws {
    let bench = try Bench()
    bench.transport.answer("POST /iaas/vms/\(Sample.vm)/shares", 201, Self.permission)
    let before = Date()
    #expect(await bench.run("vm", "share", Sample.vm, "ana", "--expires", "1h") == .done)
    let text = try #require(bench.body(0).split(separator: "\"").first { $0.hasSuffix("Z") })
    let moment = try Date(String(text), strategy: .iso8601)
    #expect((3599...3660).contains(moment.timeIntervalSince(before)))
  }

  @Test(arguments: [["--role", "viewer"], ["--expires", "7d"]])
  func anotherVerbTakesNone(option: [String]) async throws {
    let bench = try Bench()
    #expect(await bench.run(["vm", "unshare", Sample.vm, "ana"] + option) == .usage)
    #expect(bench.transport.requests.isEmpty)
  }

  @Test(
    arguments: [
      ("ana@example.org", "ana%40example.org"), ("root", "root"), (Sample.user, Sample.user), ("a/../b", "a%2F..%2Fb"),
      ("a b?c#d", "a%20b%3Fc%23d"), ("..", "%2E%2E"), (".", "%2E"), ("50%", "50%25"), ("é", "%C3%A9"),
    ])
  func takingBackNamesThePersonInThePath(user: String, segment: String) async throws {
    let bench = try Bench()
    bench.transport.answer("DELETE /iaas/images/\(Sample.image)/shares/\(segment)", 204, "")
    #expect(await bench.run("image", "unshare", Sample.image, user) == .done)
    #expect(bench.transport.targets == ["DELETE /iaas/images/\(Sample.image)/shares/\(segment)"])
    #expect(bench.console.err == ["The image \(Sample.image) is no longer shared with \(user)."])
  }

  @Test func takingBackForPrograms() async throws {
    let bench = try Bench()
    bench.transport.answer("DELETE /iaas/vms/\(Sample.vm)/shares/ana", 204, "")
    #expect(await bench.run("vm", "unshare", Sample.vm, "ana", "-o", "json") == .done)
    #expect(bench.console.out == #"{"id":"\#(Sample.vm)","user":"ana"}"# + "\n")
  }

  @Test func theLastOwnerStays() async throws {
    let bench = try Bench()
    bench.transport.answer(
      "DELETE /iaas/vms/\(Sample.vm)/shares/ana", 409, #"{"detail":"It needs an owner.","code":"conflict"}"#,
      type: "application/problem+json")
    #expect(await bench.run("vm", "unshare", Sample.vm, "ana") == .conflict)
    #expect(bench.console.err == ["iaas: It needs an owner."])
  }

  @Test(arguments: [("image", Sample.image), ("vm", Sample.vm)])
  func whoMayUseIt(noun: String, id: String) async throws {
    let bench = try Bench()
    let other = #"{"id":"\#(Sample.user)","user":"\#(Sample.user)","role":"a\u001b[2Jgod"}"#
    bench.transport.answer("GET /iaas/\(noun)s/\(id)/shares", "[\(Self.permission),\(other)]")
    #expect(await bench.run(noun, "shares", id) == .done)
    let lines = bench.console.out.split(separator: "\n")
    #expect(lines.count == 3)
    #expect(lines[0].hasPrefix("USER  ") && lines[0].hasSuffix("EXPIRES"))
    #expect(lines[2].contains("a\u{FFFD}[2Jgod") && lines[2].hasSuffix("never"))
    #expect(await bench.run(noun, "shares", id, "-o", "name") == .done)
    #expect(bench.console.out.hasSuffix("\nana@example.org\n\(Sample.user)\n"))
  }
}
