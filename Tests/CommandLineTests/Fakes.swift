import Foundation
import Models
import Synchronization

@testable import CommandLineTool

/// Answers from a script, by method and target, the last one again and again; remembers what was asked.
final class FakeTransport: Transport {
  private struct State {
    var answers: [String: [APIAnswer]] = [:]
    var requests: [APIRequest] = []
  }

  private let state = Mutex(State())

  var requests: [APIRequest] { state.withLock { $0.requests } }
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
  }

  private let state = Mutex(State())
  let printsToTerminal: Bool
  let readsFromTerminal: Bool

  init(terminal: Bool = false, input: [String] = []) {
    printsToTerminal = terminal
    readsFromTerminal = terminal
    state.withLock { $0.input = input }
  }

  var out: String { state.withLock { String(decoding: $0.out, as: UTF8.self) } }
  var err: [String] { state.withLock { $0.err } }

  func write(_ bytes: Data) { state.withLock { $0.out.append(bytes) } }
  func writeError(_ line: String) { state.withLock { $0.err.append(line) } }
  func ask(_ question: String) { writeError(question) }
  func readLine() -> String? { state.withLock { $0.input.isEmpty ? nil : $0.input.removeFirst() } }
  func readUnseen() -> String? { readLine() }
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

  init(terminal: Bool = false, input: [String] = []) throws {
    console = FakeConsole(terminal: terminal, input: input)
    folder = try TemporaryFolder()
    environment = ["HOME": folder.path, "IAAS_TOKEN": "secret"]
  }

  func run(_ arguments: String...) async -> CommandStatus {
    do {
      guard let verb = try IaaSCommand.parseAsRoot(arguments) as? any Verb else { return .usage }
      let settings = try Settings(
        environment: environment, url: verb.serverURL, allowInsecureHTTP: verb.common.insecureHTTP)
      try await verb.run(
        in: CommandContext(settings: settings, transport: transport, console: console, pause: .milliseconds(1)))
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

  static func imageJSON(id: String = image, name: String = "debian", state: String = "available") -> String {
    #"{"id":"\#(id)","name":"\#(name)","desc":"d","url":"u","state":"\#(state)","size":3221225472,"future":[1]}"#
  }

  static func vmJSON(state: String, name: String = "web1", ip: String? = nil, reason: String? = nil) -> String {
    let addresses = ip.map { #"{"ip":"\#($0)","mac":"52:54:00:00:00:01"}"# } ?? ""
    let reason = reason.map { #","reason":"\#($0)""# } ?? ""
    return
      #"{"id":"\#(vm)","name":"\#(name)","mem":2048,"state":"\#(state)","addresses":[\#(addresses)]\#(reason)}"#
  }

  static func operationJSON(_ status: String, done: Int? = nil, error: String? = nil) -> String {
    let progress = done.map { #","step":"downloading","progress":{"done":\#($0),"total":4194304}"# } ?? ""
    let error = error.map { #","error":{"code":"source_failed","message":"\#($0)"}"# } ?? ""
    return #"{"id":"\#(operation)","kind":"image_import","status":"\#(status)"\#(progress)\#(error)}"#
  }

  static let operationLocation = ["operation-location": "/iaas/operations/\(operation)"]
}
