import Foundation
import Testing

@testable import CommandLineTool

/// Invitations and the audit log.
@Suite struct AdministrationTests {
  private static let invitation = "0199f3a2-6666-7000-8000-000000000001"

  @Test func theCodeOfAnInvitationIsPrintedOnce() async throws {
    let bench = try Bench()
    bench.transport.answer(
      "POST /iaas/invitations", 201, #"{"id":"\#(Self.invitation)","code":"i-code","expiresAt":"e"}"#)
    #expect(await bench.run("invitation", "add", "--expires", "2027-01-01T01:00:00+01:00") == .done)
    #expect(bench.body(0) == #"{"expiresAt":"2027-01-01T00:00:00Z"}"#)
    #expect(bench.console.out.hasPrefix("CODE        i-code\nID          \(Self.invitation)\n"))
    #expect(
      bench.console.err == ["The code is not shown again. It is for: iaas register EMAIL --invitation CODE"])
    #expect(await bench.run("invitation", "add", "-o", "name") == .done)
    #expect(bench.body(1) == "{}")
    #expect(bench.console.out.hasSuffix("\ni-code\n"))
  }

  @Test func invitationsAreListedAndTakenBack() async throws {
    let bench = try Bench()
    let json = #"[{"id":"\#(Self.invitation)","createdBy":"\#(Sample.user)","createdAt":"c","expiresAt":"e"}]"#
    bench.transport.answer("GET /iaas/invitations", json)
    bench.transport.answer("GET /iaas/invitations?query=id%20LIKE%20%270199f3a2%25%27", json)
    bench.transport.answer("DELETE /iaas/invitations/\(Self.invitation)", 204, "")
    #expect(await bench.run("invitation", "ls") == .done)
    #expect(bench.console.out.contains("\n\(Self.invitation)  \(Sample.user)  c        e\n"))
    #expect(await bench.run("invitation", "rm", "0199f3a2") == .done)
    #expect(await bench.run("invitation", "rm", Self.invitation) == .done)
    #expect(
      bench.transport.targets.suffix(2) == Array(repeating: "DELETE /iaas/invitations/\(Self.invitation)", count: 2))
  }

  private static let entry = """
    {"id":"\(invitation)","createdAt":"t","actor":"\(Sample.user)","action":"PUT /iaas/vms/{vm}","status":200,\
    "resource":"\(Sample.vm)","address":"10.0.0.7","requestId":"r1"}
    """

  @Test func theAuditLogBeginsWithTheNewest() async throws {
    let bench = try Bench()
    let denied = #"{"id":"\#(Self.invitation)","action":"a\u001b","actor":null}"#
    bench.transport.answer(
      "GET /iaas/audit?sort=-createdAt&limit=50", 200, "[\(Self.entry),\(denied)]", headers: ["total-count": "1234"])
    #expect(await bench.run("audit") == .done)
    let lines = bench.console.out.split(separator: "\n")
    #expect(lines.count == 3)
    #expect(lines[1].hasPrefix("t     \(Sample.user)  PUT /iaas/vms/{vm}  \(Sample.vm)  200     10.0.0.7  r1"))
    #expect(lines[2].hasPrefix("-     -") && lines[2].contains("a\u{FFFD}"))
    #expect(bench.console.err == ["showing 2 of 1,234"])
  }

  @Test func theAuditLogIsSearched() async throws {
    let bench = try Bench()
    let target = "GET /iaas/audit?query=status%20%3D%20401&sort=createdAt&limit=3"
    bench.transport.answer(target, "[\(Self.entry)]")
    #expect(
      await bench.run("audit", "status", "=", "401", "--sort", "createdAt", "--limit", "3", "-o", "json") == .done)
    #expect(bench.transport.targets == [target])
    #expect(bench.console.out == "[\(Self.entry)]\n")
  }

  @Test func moreThanAPageOfTheAuditLog() async throws {
    let bench = try Bench()
    let page = "[\(Array(repeating: Self.entry, count: 1000).joined(separator: ","))]"
    bench.transport.answer(
      "GET /iaas/audit?sort=-createdAt&limit=1000", 200, page,
      headers: ["link": #"</iaas/audit?sort=-createdAt&after=x>; rel="next""#])
    bench.transport.answer("GET /iaas/audit?sort=-createdAt&after=x&limit=200", "[\(Self.entry)]")
    #expect(await bench.run("audit", "--limit", "1200", "-o", "name") == .done)
    #expect(bench.console.out.split(separator: "\n").count == 1001)
  }
}
