import Foundation
import Testing

@testable import CommandLineTool

@Suite struct PagingTests {
  private static func users(_ range: Range<Int>) -> String {
    let users = range.map { number in
      #"{"id":"0199f3a2-3333-7000-8000-\#(String(format: "%012d", number))","email":"u\#(number)"}"#
    }
    return "[\(users.joined(separator: ","))]"
  }

  private func page(
    _ bench: Bench, _ query: String, _ range: Range<Int>, total: Int? = nil, next: String? = nil
  ) {
    var headers: [String: String] = [:]
    headers["total-count"] = total.map { "\($0)" }
    headers["link"] = next.map { #"<\#($0)>; rel="next""# }
    bench.transport.answer("GET /iaas/users\(query)", 200, Self.users(range), headers: headers)
  }

  private func lines(_ bench: Bench) -> [Substring] { bench.console.out.split(separator: "\n") }

  @Test func sortAndLimitAreAskedOfTheServer() async throws {
    for sort in [["--sort=-createdAt"], ["--sort", "-createdAt"]] {
      let bench = try Bench()
      page(bench, "?query=admin%20%3D%20true&sort=-createdAt&limit=20", 0..<20, total: 1234, next: "?after=x")
      #expect(await bench.run(["user", "ls", "admin = true", "--limit", "20", "-o", "name"] + sort) == .done)
      #expect(lines(bench).count == 20)
      #expect(bench.console.err == ["showing 20 of 1,234"])
    }
  }

  @Test func allIsOneRequest() async throws {
    let bench = try Bench()
    page(bench, "?sort=name", 0..<3, total: 3)
    #expect(await bench.run("user", "ls", "--sort", "name") == .done)
    #expect(bench.transport.targets == ["GET /iaas/users?sort=name"])
    #expect(bench.console.err.isEmpty)
  }

  @Test(arguments: [(5, "?after=x", "showing 3 of 5"), (nil, "?after=x", "showing the first 3; there are more")])
  func whatIsMissingOfAllIsSaid(total: Int?, next: String, line: String) async throws {
    let bench = try Bench()
    page(bench, "", 0..<3, total: total, next: next)
    #expect(await bench.run("user", "ls") == .done)
    #expect(bench.transport.targets.count == 1)
    #expect(bench.console.err == [line])
  }

  @Test(arguments: ["", "http://127.0.0.1:8080"])
  func pagesAreFollowedAsFarAsNeeded(server: String) async throws {
    let bench = try Bench()
    page(bench, "?limit=1000", 0..<1000, total: 5000, next: "\(server)/iaas/users?limit=1000&after=a%2Bb")
    page(bench, "?after=a%2Bb&limit=1000", 1000..<2000, total: 5000, next: "\(server)/iaas/users?after=c&limit=1000")
    page(bench, "?after=c&limit=500", 2000..<2500, total: 5000, next: "\(server)/iaas/users?after=d&limit=500")
    #expect(await bench.run("user", "ls", "--limit", "2500", "-o", "name") == .done)
    #expect(bench.transport.requests.count == 3)
    #expect(lines(bench).count == 2500)
    #expect(lines(bench).last == "u2499")
    #expect(bench.console.err == ["showing 2,500 of 5,000"])
  }

  @Test func theJSONOfPagesIsOneArrayOfTheServersOwnBytes() async throws {
    let bench = try Bench()
    bench.transport.answer(
      "GET /iaas/users?limit=1000", 200, #" [ {"id":"\#(Sample.user)","email":"a],[","n":1.50} ] "#,
      headers: ["link": #"<?after=x>; rel=next"#])
    page(bench, "?after=x&limit=1000", 0..<1000)
    #expect(await bench.run("user", "ls", "--limit", "1500", "-o", "json") == .done)
    let first = #"[{"id":"\#(Sample.user)","email":"a],[","n":1.50},"#
    #expect(bench.console.out == first + Self.users(0..<1000).dropFirst() + "\n")
  }

  @Test func aServerThatHeedsNoLimitIsCut() async throws {
    let bench = try Bench()
    page(bench, "?limit=2", 0..<9, total: 9)
    #expect(await bench.run("user", "ls", "--limit", "2", "-o", "json") == .done)
    #expect(bench.console.out == Self.users(0..<2) + "\n")
    #expect(bench.console.err == ["showing 2 of 9"])
  }

  @Test func aCircleEnds() async throws {
    let bench = try Bench()
    page(bench, "?limit=1000", 0..<10, next: "?after=a")
    page(bench, "?after=a&limit=1000", 10..<20, next: "?after=b")
    page(bench, "?after=b&limit=1000", 20..<30, next: "?after=a")
    #expect(await bench.run("user", "ls", "--limit", "100000") == .failed)
    #expect(bench.transport.requests.count == 3)
    #expect(bench.console.out.isEmpty)
  }

  @Test func emptyPagesEnd() async throws {
    let bench = try Bench()
    page(bench, "?limit=1000", 0..<10, next: "?after=a")
    page(bench, "?after=a&limit=1000", 0..<0, next: "?after=b")
    #expect(await bench.run("user", "ls", "--limit", "100000") == .failed)
    #expect(bench.transport.requests.count == 2)
  }

  @Test func shortPagesAreNotFollowedForEver() async throws {
    let bench = try Bench()
    page(bench, "?limit=1000", 0..<1, total: 9000, next: "?after=0")
    page(bench, "?after=0&limit=1000", 1..<2, total: 9000, next: "?after=1")
    #expect(await bench.run("user", "ls", "--limit", "2000", "-o", "name") == .done)
    #expect(bench.transport.requests.count == 2)
    #expect(bench.console.err == ["showing 2 of 9,000"])
  }

  @Test(
    arguments: [
      "https://evil.example/iaas/users?after=x", "//evil.example/iaas/users?after=x", "/iaas/hosts?after=x",
      "/iaas/users/../hosts?after=x", "/iaas/users", "http://127.0.0.1:8080.evil.example/iaas/users?after=x",
      "http://127.0.0.1:8080@evil.example/iaas/users?after=x", "?after=x y", "?after=x#y", "?after=x\r\nHost: e", "",
    ])
  func aLinkElsewhereIsNotFollowed(link: String) async throws {
    let bench = try Bench()
    page(bench, "?limit=1000", 0..<10, next: link)
    #expect(await bench.run("user", "ls", "--limit", "2000") == .failed)
    #expect(bench.transport.requests.count == 1)
    #expect(bench.console.out.isEmpty)
  }

  @Test(
    arguments: [
      (#"<a>; rel="next""#, "a"), (#"<a>;rel=next"#, "a"), (#"<a>; REL="NEXT""#, "a"), (#"<a>; rel="prev next""#, "a"),
      (#"<a>; rel="prev", <b>; rel="next""#, "b"), (#"<a>; title="x, <c>; rel=next"; rel=prev, <b>; rel=next"#, "b"),
      (#"<a>; title="y"; rel="next", <b>; rel="next""#, "a"), ("<a,b;c>; rel=next", "a,b;c"),
      (#"<a>; rel="nextish""#, nil), ("<a>", nil), ("<a", nil), ("", nil), (#"a; rel="next""#, nil), (">;<", nil),
    ])
  func linksOfAHeader(header: String, target: String?) { #expect(Link.next(in: header) == target) }

  @Test(
    arguments: [
      ("[]", []), (" [ ] ", []), ("[1]", ["1"]), ("[ 1 , 2 ]", ["1", "2"]),
      (#"[{"a":[1,2]},[3,4]]"#, [#"{"a":[1,2]}"#, "[3,4]"]),
      (#"["a,]\",b","\\",{"}":"{"}]"#, [#""a,]\",b""#, #""\\""#, #"{"}":"{"}"#]), ("", []), ("[", []),
    ])
  func elementsOfAnArray(json: String, elements: [String]) {
    #expect(JSONArray.elements(of: Data(json.utf8)).map { String(decoding: $0, as: UTF8.self) } == elements)
  }

  @Test(
    arguments: zip(
      [0, 7, 999, 1000, 1_234_567, -123, -1234], ["0", "7", "999", "1,000", "1,234,567", "-123", "-1,234"]))
  func thousandsAreGrouped(number: Int, text: String) { #expect(Units.grouped(number) == text) }
}
