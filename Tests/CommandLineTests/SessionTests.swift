import Foundation
import Testing

@testable import CommandLineTool

@Suite struct SessionTests {
  private static let mine = "0199f3a2-4444-7000-8000-000000000001"
  private static let second = "0199f3a2-5555-7000-8000-000000000002"
  private static let third = "aaaaf3a2-5555-7000-8000-000000000003"

  private static func json(_ id: String, current: Bool) -> String {
    #"{"id":"\#(id)","createdAt":"c","address":"10.0.0.7","client":"curl\u001b","current":\#(current)}"#
  }

  private func bench(current: Bool = true) throws -> Bench {
    let bench = try Bench()
    let all = [Self.json(Self.second, current: false), Self.json(Self.mine, current: current)]
    bench.transport.answer(
      "GET /iaas/sessions", "[\((all + [Self.json(Self.third, current: false)]).joined(separator: ", "))]")
    for id in [Self.mine, Self.second] { bench.transport.answer("DELETE /iaas/sessions/\(id)", 204, "") }
    bench.transport.answer("DELETE /iaas/sessions/\(Self.third)", 404, "{}")
    return bench
  }

  @Test func theListTellsWhichIsThisOne() async throws {
    let bench = try bench()
    #expect(await bench.run("session", "ls") == .done)
    let lines = bench.console.out.split(separator: "\n")
    #expect(lines[0] == "ID                                    CURRENT  CREATED  LAST USED  EXPIRES  ADDRESS   CLIENT")
    #expect(lines[2] == "\(Self.mine)  yes      c        -          -        10.0.0.7  curl\u{FFFD}")
  }

  @Test(arguments: [(second, 1), ("0199f3a2-5", 2)])
  func endingOne(reference: String, requests: Int) async throws {
    let bench = try bench()
    #expect(await bench.run("session", "rm", reference) == .done)
    #expect(bench.transport.targets.last == "DELETE /iaas/sessions/\(Self.second)")
    #expect(bench.transport.targets.count == requests)
    #expect(bench.console.err == ["Ended the session \(Self.second)."])
  }

  @Test(arguments: [("0199f3a2", CommandStatus.usage), ("beef", .notFound), ("curl", .notFound)])
  func oneThatIsNotClear(reference: String, status: CommandStatus) async throws {
    let bench = try bench()
    #expect(await bench.run("session", "rm", reference) == status)
    #expect(bench.transport.targets == ["GET /iaas/sessions"])
  }

  @Test func endingAllOthers() async throws {
    let bench = try bench()
    #expect(await bench.run("session", "rm", "--others") == .done)
    #expect(
      bench.transport.targets == [
        "GET /iaas/sessions", "DELETE /iaas/sessions/\(Self.second)", "DELETE /iaas/sessions/\(Self.third)",
      ])
    #expect(bench.console.err == ["Ended 2 other sessions."])
  }

  @Test func endingAllOthersForPrograms() async throws {
    let bench = try bench()
    #expect(await bench.run("session", "rm", "--others", "-o", "json") == .done)
    let ended = [Self.second, Self.third].map { Self.json($0, current: false) }
    #expect(bench.console.out == "[\(ended.joined(separator: ","))]\n")
  }

  @Test func withoutKnowingWhichIsThisOneNoneIsEnded() async throws {
    let bench = try bench(current: false)
    #expect(await bench.run("session", "rm", "--others") == .failed)
    #expect(bench.transport.targets == ["GET /iaas/sessions"])
  }
}
