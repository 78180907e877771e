import Foundation
import TestSupport

/// What is done to whoever comes to a place first.
enum Blow: Sendable, CaseIterable, CustomStringConvertible {
  case kill, stop, error, delay

  var description: String {
    switch self {
    case .kill: "kill"
    case .stop: "stop"
    case .error: "error"
    case .delay: "delay"
    }
  }

  /// As `Failpoint` reads it.
  fileprivate var text: String { self == .delay ? "delay 1500" : description }
}

/// A process that faults strike.
protocol Victim: Sendable {
  var name: String { get }
  /// The folder of its `IAAS_FAILPOINTS`.
  var failpoints: String { get }
  /// Nil when it does not run.
  var pid: pid_t? { get }
  /// Starts it if it does not run, and waits until it answers.
  func bringBack() async throws
}

extension Victim {
  var isRunning: Bool { pid != nil }

  func send(_ signal: Int32) { if let pid { kill(pid, signal) } }

  /// Ends it as kill -9 does, and waits for its end.
  func strike() async throws {
    send(SIGKILL)
    try await eventually("\(name) is dead", within: .seconds(10)) { !isRunning }
  }

  private func file(_ place: String) -> String { "\(failpoints)/\(place)" }

  func arm(_ place: String, _ blow: Blow) throws {
    // Written under another name first: it may be taken at once.
    let draft = "\(failpoints)/.\(place)"
    try Data(blow.text.utf8).write(to: URL(fileURLWithPath: draft))
    guard rename(draft, file(place)) == 0 else { throw Unexpected("cannot arm \(place) of \(name)") }
  }

  func isArmed(_ place: String) -> Bool { access(file(place), F_OK) == 0 }
  func disarm(_ place: String) { unlink(file(place)) }

  func disarmAll() {
    for place in (try? FileManager.default.contentsOfDirectory(atPath: failpoints)) ?? [] { disarm(place) }
  }
}
