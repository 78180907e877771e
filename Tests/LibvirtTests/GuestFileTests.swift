import Foundation
import Testing

@testable import Libvirt

@Suite struct GuestFileTests {
  private func read(_ agent: ScriptedAgent, limit: Int = 100) throws(LibvirtError) -> Data? {
    try readGuestFile("/etc/\"hostname\"", limit: limit) { (command) throws(LibvirtError) in try agent.ask(command) }
  }

  private func failure(_ agent: ScriptedAgent, limit: Int = 100) throws -> LibvirtError.Code {
    try #require(#expect(throws: LibvirtError.self) { try read(agent, limit: limit) }).code
  }

  @Test func fileIsOpenedReadAndClosed() throws {
    let agent = ScriptedAgent([.answer("1000"), .chunk("hello\n".utf8, isLast: true), .answer("{}")])
    #expect(try read(agent) == Data("hello\n".utf8))
    #expect(agent.asked == ["guest-file-open", "guest-file-read", "guest-file-close"])
    #expect(agent.commands[0].contains(#"\"hostname\""#))
    #expect(agent.commands[1...].allSatisfy { $0.contains("1000") })
  }

  @Test func emptyFileIsEmpty() throws {
    #expect(try read(ScriptedAgent([.answer("0"), .chunk([], isLast: true), .answer("{}")])) == Data())
  }

  @Test func longFileComesInParts() throws {
    let part = [UInt8](repeating: 7, count: 256 << 10)
    let agent = ScriptedAgent([
      .answer("1"), .chunk(part, isLast: false), .chunk(part, isLast: false), .chunk([1], isLast: true), .answer("{}"),
    ])
    #expect(try read(agent, limit: 1 << 20)?.count == 2 * part.count + 1)
    #expect(agent.asked.count == 5)
  }

  @Test func endThatIsNotSaidIsSeen() throws {
    let agent = ScriptedAgent([.answer("1"), .chunk([1, 2], isLast: false), .answer("{}")])
    #expect(try read(agent) == Data([1, 2]))
    #expect(agent.asked.last == "guest-file-close")
  }

  @Test(arguments: [(6, true), (5, false), (0, false), (.max, true)])
  func limitIsInclusive(limit: Int, isRead: Bool) throws {
    let content = Data("hello\n".utf8).prefix(limit == .max ? 6 : limit + 1)
    let agent = ScriptedAgent([.answer("1"), .chunk(content, isLast: content.count == 6), .answer("{}")])
    if isRead {
      #expect(try read(agent, limit: limit)?.count == 6)
    } else {
      #expect(try failure(agent, limit: limit) == .overflow)
    }
    #expect(agent.asked.last == "guest-file-close")
  }

  @Test func negativeLimitIsRefused() throws {
    let agent = ScriptedAgent([])
    #expect(try failure(agent, limit: -1) == .invalidArgument)
    #expect(agent.asked.isEmpty)
  }

  @Test(arguments: [
    (#"{"supported_commands":[{"name":"guest-file-open","enabled":true}]}"#, LibvirtError.Code?.none),
    (#"{"supported_commands":[{"name":"guest-file-open","enabled":false}]}"#, .operationUnsupported),
    (#"{"supported_commands":[]}"#, .operationUnsupported), (#"{}"#, .agentCommandFailed),
    (#"{"supported_commands":[7]}"#, .agentCommandFailed),
  ])
  func absentFileIsToldFromAnAgentThatOpensNone(info: String, code: LibvirtError.Code?) throws {
    let agent = ScriptedAgent([.refusal, .answer(info)])
    if let code {
      #expect(try failure(agent) == code)
    } else {
      #expect(try read(agent) == nil)
    }
    #expect(agent.asked == ["guest-file-open", "guest-info"])
  }

  @Test func silentAgentIsAskedOnce() throws {
    let agent = ScriptedAgent([])
    #expect(try failure(agent) == .agentUnresponsive)
    #expect(agent.asked == ["guest-file-open"])
  }

  @Test func fileIsClosedWhateverReadingDoes() throws {
    for answer in [.refusal, .answer("null"), .failure(.refused(.agentUnresponsive, ""))] as [Result] {
      let agent = ScriptedAgent([.answer("5"), answer])
      _ = try failure(agent)
      #expect(agent.asked.last == "guest-file-close")
    }
  }

  /// What `guest-file-read` may be answered with by a guest that means harm; 101 bytes are asked for.
  @Test(arguments: [
    "", "{", "null", "[]", "7", #""x""#, "{}", #"{"count":1}"#, #"{"count":"1","buf-b64":"AA==","eof":true}"#,
    #"{"count":1,"buf-b64":"AA==","eof":1}"#, #"{"count":1,"buf-b64":7,"eof":true}"#,
    #"{"count":2,"buf-b64":"AA==","eof":true}"#, #"{"count":-1,"buf-b64":"","eof":true}"#,
    #"{"count":9223372036854775808,"buf-b64":"AA==","eof":true}"#, #"{"count":1e999,"buf-b64":"AA==","eof":true}"#,
    #"{"count":1,"buf-b64":"AA=","eof":true}"#, #"{"count":1,"buf-b64":"AA","eof":true}"#,
    #"{"count":1,"buf-b64":"AB==","eof":true}"#, #"{"count":1,"buf-b64":"AA==\n","eof":true}"#,
    #"{"count":1,"buf-b64":" AA==","eof":true}"#, #"{"count":1,"buf-b64":"A*A==","eof":true}"#,
    #"{"count":1,"buf-b64":"AA==\u0000","eof":true}"#, #"{"count":3,"buf-b64":"-_-_","eof":true}"#,
    #"{"count":102,"buf-b64":"\#(Data(count: 102).base64EncodedString())","eof":true}"#,
    #"{"count":300000,"buf-b64":"\#(Data(count: 300_000).base64EncodedString())","eof":true}"#,
    String(repeating: "[", count: 100_000) + String(repeating: "]", count: 100_000),
  ])
  func nonsenseInPlaceOfAPartIsRefused(value: String) throws {
    let agent = ScriptedAgent([.answer("1"), .answer(value), .answer("{}")])
    #expect(try failure(agent) == .agentCommandFailed)
    #expect(agent.asked.last == "guest-file-close")
  }

  @Test(arguments: ["", "null", "{}", "1.5", "9223372036854775808", "true", #""1""#])
  func nonsenseInPlaceOfAHandleIsRefused(value: String) throws {
    let agent = ScriptedAgent([.answer(value)])
    #expect(try failure(agent) == .agentCommandFailed)
  }

  @Test(arguments: ["", "[]", "{}", "\u{0}", "{\"return\"", "{\"error\":{}}", "\u{FEFF}{}"])
  func nonsenseAroundTheValueIsRefused(answer: String) throws {
    #expect(try failure(ScriptedAgent([.success(answer)])) == .agentCommandFailed)
  }

  @Test func messageOfNonsenseIsShort() {
    #expect(LibvirtError.nonsense(String(repeating: "x", count: 100_000)).message.count < 300)
  }
}
