import Foundation
import Models

/// Places where tests make a process fail. Without `IAAS_FAILPOINTS` in its environment a process has none.
///
/// The variable names a folder. A file in it, named like a place, holds what happens to the one who comes there next:
/// `kill` ends the process as kill -9 does, `stop` halts it until SIGCONT, `error` lets the step fail as if a service were
/// away, and `delay N` waits for N milliseconds. Whoever comes first takes the file away.
public enum Failpoint {
  private static let folder = ProcessInfo.processInfo.environment["IAAS_FAILPOINTS"]

  /// - Throws: `ServiceError` `unavailable` where a test says so.
  public static func hit(_ name: String) async throws {
    guard let folder else { return }
    let path = "\(folder)/\(name)"
    let taken = "\(path).\(getpid()).\(UUID().uuidString)"
    guard rename(path, taken) == 0 else { return }
    let words = ((try? String(contentsOfFile: taken, encoding: .utf8)) ?? "").split(whereSeparator: \.isWhitespace)
    unlink(taken)
    switch words.first {
    case "kill": kill(getpid(), SIGKILL)
    case "stop": kill(getpid(), SIGSTOP)
    case "delay": try? await Task.sleep(for: .milliseconds(words.dropFirst().first.flatMap { Int($0) } ?? 0))
    default: throw ServiceError(.unavailable, "A test made this fail.")
    }
  }
}
