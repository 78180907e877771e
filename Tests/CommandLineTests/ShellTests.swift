import Foundation
import Synchronization
import Testing

@testable import CommandLineTool

/// The shell: what its lines ask for, what it offers, and what it keeps.
@Suite struct ShellTests {
  /// As the owner of the product specified it.
  private static let help = """
    help
    exit
    login <email> [<password>]
    host ls [<query>]
    host add <addr> <user> <password>
    host rm <hostId>
    user list [<query>]
    user add <email> <password>
    user rm <userId>
    image ls [<query>]
    image add <url> <name> <desc>
    image rm <imgId>
    image shares <imgId>
    image share <imgId> <userId>
    image unshare <imgId> <userId>
    vm ls [<query>]
    vm add <image> [<mem>]
    vm start <vmId>
    vm stop <vmId>
    vm rm <vmId>
    vm save <vmId> <imgName> <imgDesc>
    vm shares <vmId>
    vm share <vmId> <userId>
    vm unshare <vmId> <userId>

    """

  /// Lines that are given, and what was remembered of them.
  private final class Script: LineSource {
    private let lines: Mutex<[ShellLine]>
    private let kept = Mutex<[String]>([])
    var remembered: [String] { kept.withLock { $0 } }

    init(_ lines: [ShellLine]) { self.lines = Mutex(lines) }
    func next() async -> ShellLine? { lines.withLock { $0.isEmpty ? nil : $0.removeFirst() } }
    func remember(_ line: String) { kept.withLock { $0.append(line) } }
  }

  private func run(
    _ lines: [ShellLine], stops: Bool = false,
    answering: @escaping @Sendable ([String]) -> CommandStatus = { _ in .done }
  ) async -> (status: CommandStatus, ran: [[String]], console: FakeConsole, remembered: [String]) {
    let (script, console, ran) = (Script(lines), FakeConsole(), Ran())
    let shell = Shell(source: script, console: console, stopsAtFailure: stops) { arguments in
      ran.add(arguments)
      return answering(arguments)
    }
    return (await shell.run(), ran.all, console, script.remembered)
  }

  private final class Ran: Sendable {
    private let commands = Mutex<[[String]]>([])
    var all: [[String]] { commands.withLock { $0 } }
    func add(_ arguments: [String]) { commands.withLock { $0.append(arguments) } }
  }

  @Test func helpIsTheWholeListOfCommands() async {
    let outcome = await run([.line("help")])
    #expect(outcome.console.out == Self.help && outcome.status == .done)
  }

  @Test(
    arguments: [
      ("", .nothing), ("   ", .nothing), ("# a remark", .nothing), ("help", .help), ("  exit ", .exit),
      ("login a", .run(["login", "--", "a"])), ("login a 'b c'", .run(["login", "--", "a", "b c"])),
      ("host ls", .run(["host", "ls"])), ("user list", .run(["user", "ls"])),
      ("vm ls state = 'running'  AND mem>1 ", .run(["vm", "ls", "--", "state = 'running'  AND mem>1"])),
      (#"vm ls "state = 'running'""#, .run(["vm", "ls", "--", "state = 'running'"])),
      (#"vm ls name = "web 1""#, .run(["vm", "ls", "--", #"name = "web 1""#])),
      ("vm ls name = 'it''s", .run(["vm", "ls", "--", "name = 'it''s"])),
      (#"image add http://x/y "Debian 12" """#, .run(["image", "add", "--", "http://x/y", "Debian 12", ""])),
      (#"vm save web\ 1 a "b \"c\"""#, .run(["vm", "save", "--", "web 1", "a", #"b "c""#])),
      ("vm add debian-12 2G", .run(["vm", "add", "--", "debian-12", "2G"])),
      ("host add -x agent pw", .run(["host", "add", "--", "-x", "agent", "pw"])),
      ("vm share web1 ana@example.org", .run(["vm", "share", "--", "web1", "ana@example.org"])),
    ] as [(String, ShellRequest)])
  func lines(line: String, request: ShellRequest) throws { #expect(try ShellRequest(line) == request) }

  @Test(
    arguments: [
      ("vm add", "usage: vm add <image> [<mem>]"), ("vm start a b", "usage: vm start <vmId>"),
      ("help me", "usage: help"), ("vm save 'a b", "A quote (') is not closed."),
      ("vm", "vm takes one of: vm ls, vm add, vm start, vm stop, vm rm, vm save, vm shares, vm share, vm unshare."),
      ("vm strat web1", #"There is no command "vm strat"; did you mean "vm start"?"#),
      ("hots ls", #"There is no command "hots ls"; did you mean "host ls"?"#),
      ("hlep", #"There is no command "hlep"; did you mean "help"?"#),
      ("frobnicate everything", #"There is no command "frobnicate everything"; help lists them."#),
    ])
  func whatIsNoCommandIsUsage(line: String, complaint: String) async {
    let outcome = await run([.line(line)])
    #expect(outcome.status == .usage && outcome.ran.isEmpty)
    #expect(outcome.console.err == ["iaas: \(complaint)"])
  }

  @Test func aScriptGoesOnOrStopsAtTheFirstFailure() async {
    let lines: [ShellLine] = [.line("vm start a"), .abandoned, .line("vm stop b"), .line("vm rm c")]
    @Sendable func failing(_ arguments: [String]) -> CommandStatus { arguments.last == "b" ? .conflict : .done }
    let through = await run(lines, answering: failing)
    #expect(through.ran.count == 3 && through.status == .done)
    let stopped = await run(lines, stops: true, answering: failing)
    #expect(stopped.ran.count == 2 && stopped.status == .conflict)
    #expect(await run([.line("nonsense"), .line("exit"), .line("vm rm c")]).ran.isEmpty)
  }

  @Test(
    arguments: [
      ("login ana secret", "login ana"), ("login ana", "login ana"), ("user add ana 'my secret'", "user add ana"),
      ("host add h:1 agent secret", "host add h:1 agent"), ("vm start web1", "vm start web1"),
      ("vm ls name = 'x'", "vm ls name = 'x'"), ("lgoin ana secret", ""), ("uesr add ana secret", ""),
      ("Login ana secret", ""), ("user add ana \"unclosed secret", "user add ana"),
    ])
  func secretsAreNotKept(line: String, kept: String) async {
    #expect(ShellVerb.memorable(line) == kept)
    #expect(await run([.line(line)]).remembered == [kept])
  }

  @Test(
    arguments: [
      ("", "", ["exit", "help", "host", "image", "login", "user", "vm"]), ("v", "v", ["vm"]),
      ("vm s", "s", ["save", "share", "shares", "start", "stop"]), ("vm start ", "", ["\"a b\"", "vm-1", "vm-2"]),
      ("vm start vm-", "vm-", ["vm-1", "vm-2"]), ("vm add ", "", ["debian"]), ("image share debian ", "", ["ana"]),
      ("vm save vm-1 ", "", []), ("login ", "", []), ("user add ana ", "", []), ("vm ls ", "", []),
      ("frob ", "", []), ("vm start vm-1 ", "", []),
    ] as [(String, String, [String])])
  func completion(line: String, word: String, candidates: [String]) {
    let completion = ShellCompletion { kind in
      switch kind {
      case .vm: ["vm-2", "vm-1", "a b"]
      case .image: ["debian"]
      case .user: ["ana"]
      case .host, .text, .secret: ["no"]
      }
    }
    #expect(completion.candidates(line, completing: word) == candidates)
  }

  @Test func distances() {
    func distance(_ left: String, _ right: String) -> Int { Spelling.distance(Array(left), Array(right)) }
    #expect(distance("", "") == 0 && distance("abc", "") == 3 && distance("strat", "start") == 1)
    #expect(distance("kitten", "sitting") == 3)
    #expect(Spelling.nearest(to: "xyzzy", in: ["start", "stop"]) == nil)
  }
}
