import Foundation
import Models
import Synchronization

/// Where the shell gets its lines from.
protocol LineSource: Sendable {
  /// - Returns: Nil at the end.
  func next() async -> ShellLine?
  /// Keeps a line for later.
  func remember(_ line: String)
}

enum ShellLine: Sendable {
  case line(String)
  /// Ctrl-C took what was typed away.
  case abandoned
}

/// `iaas` without arguments: one command after another, from a terminal or from a script.
struct Shell: Sendable {
  let source: any LineSource
  let console: any Console
  /// Whether the first command that fails ends it.
  let stopsAtFailure: Bool
  /// Carries a command out, as the same one in one shot.
  let run: @Sendable ([String]) async -> CommandStatus

  /// - Returns: What the last command came to.
  func run() async -> CommandStatus {
    var status = CommandStatus.done
    while let next = await source.next() {
      guard case .line(let line) = next else { continue }
      do {
        switch try ShellRequest(line) {
        case .nothing: continue
        case .help:
          try console.print(ShellVerb.all.map { $0.usage + "\n" }.joined())
          status = .done
        case .exit: return status
        case .run(let arguments): status = await run(arguments)
        }
      } catch { status = IaaSCommand.report(error, console: console) }
      source.remember(ShellVerb.memorable(line))
      if status != .done, stopsAtFailure { return status }
    }
    return status
  }
}

/// The lines of standard input, when it is no terminal.
struct PipedLines: LineSource {
  let console: any Console

  func next() async -> ShellLine? { console.readLine().map { .line($0) } }
  func remember(_ line: String) {}
}
