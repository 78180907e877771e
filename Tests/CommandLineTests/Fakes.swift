import Foundation
import Models
import Synchronization

@testable import CommandLineTool

/// Answers from a script, by method and target, the last one again and again; remembers what was asked.
final class FakeTransport: Transport {
  private struct State {
    var answers: [String: [APIAnswer]] = [:]
    var requests: [APIRequest] = []
    var pieces: [Data] = []
    var accepted = Int.max
    var onPiece: @Sendable (Int) async throws -> Void = { _ in }
  }

  private let state = Mutex(State())

  var requests: [APIRequest] { state.withLock { $0.requests } }
  /// What was taken of files.
  var pieces: [Data] { state.withLock { $0.pieces } }
  var targets: [String] { requests.map { "\($0.method.rawValue) \($0.target)" } }

  func answer(
    _ request: String, _ status: Int, _ body: String, type: String = "application/json",
    headers: [String: String] = [:]
  ) {
    let headers = headers.merging(["content-type": type]) { first, _ in first }
    let answer = APIAnswer(status: status, headers: headers, body: Data(body.utf8))
    state.withLock { $0.answers[request, default: []].append(answer) }
  }

  func answer(_ request: String, _ body: String, type: String = "application/json") {
    answer(request, 200, body, type: type)
  }

  /// Answers an upload once that many pieces were taken.
  func refuse(afterPieces count: Int) { state.withLock { $0.accepted = count } }

  /// Does something for every piece, before it is taken.
  func onPiece(_ action: @escaping @Sendable (Int) async throws -> Void) { state.withLock { $0.onPiece = action } }

  func stream(
    _ request: APIRequest, to server: ServerAddress, _ receive: @Sendable (Data) throws -> Void
  ) async throws -> APIAnswer {
    let answer = try await send(request, to: server)
    if (200..<300).contains(answer.status) { try receive(answer.body) }
    return answer
  }

  func send(_ request: APIRequest, _ body: FilePieces, to server: ServerAddress) async throws -> APIAnswer {
    let (accepted, onPiece) = state.withLock { ($0.accepted, $0.onPiece) }
    let start = pieces.count
    var iterator = body.makeAsyncIterator()
    while pieces.count - start < accepted, let piece = try await iterator.next() {
      try await onPiece(pieces.count)
      state.withLock { $0.pieces.append(piece) }
    }
    return try await send(request, to: server)
  }

  func send(_ request: APIRequest, to server: ServerAddress) async throws -> APIAnswer {
    try state.withLock { state in
      state.requests.append(request)
      let key = "\(request.method.rawValue) \(request.target)"
      guard let answers = state.answers[key], let first = answers.first else {
        throw CommandFailure(.failed, "unexpected request: \(key)")
      }
      if answers.count > 1 { state.answers[key] = Array(answers.dropFirst()) }
      return first
    }
  }
}

/// Remembers what was printed, and types what it is told to.
final class FakeConsole: Console {
  private struct State {
    var out = Data()
    var err: [String] = []
    var input: [String] = []
    var unseen: [String] = []
    var frames: [String] = []
    var isDrawnOver = false
  }

  private let state = Mutex(State())
  let printsToTerminal: Bool
  let readsFromTerminal: Bool
  let asksAtTerminal: Bool
  let terminalWidth: Int?
  var outputWidth: Int? { nil }
  var hasColours: Bool { false }
  func openTerminal() -> RawTerminal? { nil }

  /// - Parameter errorsToFile: Whether standard error goes to a file all the same.
  init(terminal: Bool = false, input: [String] = [], width: Int? = nil, errorsToFile: Bool = false) {
    printsToTerminal = terminal
    readsFromTerminal = terminal
    asksAtTerminal = terminal && !errorsToFile
    terminalWidth = width
    state.withLock { $0.input = input }
  }

  var out: String { state.withLock { String(decoding: $0.out, as: UTF8.self) } }
  var err: [String] { state.withLock { $0.err } }
  /// What was typed without being shown.
  var unseen: [String] { state.withLock { $0.unseen } }
  /// The lines drawn in one place.
  var frames: [String] { state.withLock { $0.frames } }
  /// Whether something was printed while a line was drawn.
  var isDrawnOver: Bool { state.withLock { $0.isDrawnOver } }

  func write(_ bytes: Data) { print { $0.out.append(bytes) } }
  func writeError(_ line: String) { print { $0.err.append(line) } }
  func redraw(_ line: String) { state.withLock { $0.frames.append(line) } }

  private func print(_ change: (inout State) -> Void) {
    state.withLock { state in
      if state.frames.last?.isEmpty == false { state.isDrawnOver = true }
      change(&state)
    }
  }

  func ask(_ question: String) { writeError(question) }
  func readLine() -> String? { state.withLock { $0.input.isEmpty ? nil : $0.input.removeFirst() } }

  func readInput(upTo limit: Int) -> Data? {
    state.withLock { state in
      defer { state.input = [] }
      return Data(state.input.joined(separator: "\n").utf8.prefix(limit))
    }
  }

  func askUnseen(_ question: String) -> String? {
    ask(question)
    let line = readLine()
    if let line { state.withLock { $0.unseen.append(line) } }
    return line
  }
}

/// A folder that is gone afterwards.
final class TemporaryFolder: Sendable {
  let path: String

  init() throws {
    path = "\(NSTemporaryDirectory())/iaas-cli-\(UUID().uuidString)"
    try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: false)
  }

  deinit { try? FileManager.default.removeItem(atPath: path) }

  func write(_ text: String, to name: String, mode: Int = 0o600) throws -> String {
    let file = "\(path)/\(name)"
    try Data(text.utf8).write(to: URL(fileURLWithPath: file))
    try FileManager.default.setAttributes([.posixPermissions: mode], ofItemAtPath: file)
    return file
  }

  func mode(_ name: String) throws -> Int? {
    try FileManager.default.attributesOfItem(atPath: "\(path)/\(name)")[.posixPermissions] as? Int
  }
}

/// Runs command lines against the fakes.
struct Bench {
  let transport = FakeTransport()
  let console: FakeConsole
  let folder: TemporaryFolder
  var environment: [String: String]
  /// Gets an element when somebody presses Ctrl-C.
  let interruptions = AsyncStream.makeStream(of: Void.self)
  let successor = Successor()

  init(terminal: Bool = false, input: [String] = [], width: Int? = nil, errorsToFile: Bool = false) throws {
    console = FakeConsole(terminal: terminal, input: input, width: width, errorsToFile: errorsToFile)
    folder = try TemporaryFolder()
    environment = ["HOME": folder.path, "IAAS_TOKEN": "secret"]
  }

  func run(_ arguments: String...) async -> CommandStatus { await run(arguments) }

  func run(_ arguments: [String]) async -> CommandStatus {
    do {
      guard let verb = try IaaSCommand.parseAsRoot(arguments) as? any Verb else { return .usage }
      let settings = try Settings(
        environment: environment, url: verb.serverURL, allowInsecureHTTP: verb.common.insecureHTTP)
      try await verb.run(
        in: CommandContext(
          settings: settings, transport: transport, console: console, pause: .milliseconds(1),
          successor: successor, interruptions: { [stream = interruptions.stream] in stream }))
      return .done
    } catch {
      return IaaSCommand.report(error, console: console)
    }
  }

  func body(_ index: Int) -> String { String(decoding: transport.requests[index].body ?? Data(), as: UTF8.self) }
}

/// Objects as a server sends them.
enum Sample {
  static let image = "0199f3a2-0000-7000-8000-000000000001"
  static let vm = "0199f3a2-1111-7000-8000-000000000002"
  static let operation = "0199f3a2-2222-7000-8000-000000000003"
  static let user = "0199f3a2-3333-7000-8000-000000000004"

  static func imageJSON(
    id: String = image, name: String = "debian", state: String = "available", progress: String? = nil
  ) -> String {
    let progress = progress.map { #","progress":\#($0)"# } ?? ""
    let shown = #""id":"\#(id)","name":"\#(name)","desc":"d","url":"u","state":"\#(state)","size":3221225472"#
    return #"{\#(shown),"future":[1]\#(progress)}"#
  }

  static func vmJSON(state: String, name: String = "web1", ip: String? = nil, reason: String? = nil) -> String {
    let addresses = ip.map { #"{"ip":"\#($0)","mac":"52:54:00:00:00:01"}"# } ?? ""
    let reason = reason.map { #","reason":"\#($0)""# } ?? ""
    return
      #"{"id":"\#(vm)","name":"\#(name)","mem":2048,"state":"\#(state)","addresses":[\#(addresses)]\#(reason)}"#
  }

  static func operationJSON(_ status: String, done: Int? = nil, rate: Int? = nil, error: String? = nil) -> String {
    let rate = rate.map { #","rate":\#($0)"# } ?? ""
    let progress = done.map { #","step":"downloading","progress":{"done":\#($0),"total":4194304\#(rate)}"# } ?? ""
    let error = error.map { #","error":{"code":"source_failed","message":"\#($0)"}"# } ?? ""
    return #"{"id":"\#(operation)","kind":"image_import","status":"\#(status)"\#(progress)\#(error)}"#
  }

  static let userPath = "/iaas/users/\(user)"

  static func userJSON(email: String = "ana", quota: String? = "{}") -> String {
    let quota = quota.map { #","quota":\#($0)"# } ?? ""
    return #"{"id":"\#(user)","email":"\#(email)","admin":false,"disabled":true,"totp":true\#(quota)}"#
  }

  static let operationLocation = ["operation-location": "/iaas/operations/\(operation)"]
}
