import Foundation

/// Ends of processes, and looks at them, by their numbers.
enum ProcessTable {
  /// Whether the process runs; one that has ended and that nobody has taken note of does not.
  static func isRunning(_ pid: pid_t) -> Bool {
    guard let state = state(of: pid) else { return false }
    return state != "Z" && state != "X"
  }

  static func isHalted(_ pid: pid_t) -> Bool { state(of: pid) == "T" }

  private static func state(of pid: pid_t) -> Character? {
    guard let text = try? String(contentsOfFile: "/proc/\(pid)/stat", encoding: .utf8) else { return nil }
    // The command's name stands in parentheses and may hold anything.
    return text.split(separator: ")", omittingEmptySubsequences: false).last?.drop { $0 == " " }.first
  }
}

/// A child of ours with an environment of its own, writing to a log.
struct Child: Sendable {
  struct NotStarted: Error, CustomStringConvertible {
    let description: String
  }

  let pid: pid_t

  /// - Parameter log: Appended to.
  /// - Throws: `NotStarted`.
  init(_ executable: String, environment: [String: String], log: String) throws {
    var actions = posix_spawn_file_actions_t()
    var attributes = posix_spawnattr_t()
    posix_spawn_file_actions_init(&actions)
    posix_spawnattr_init(&attributes)
    defer {
      posix_spawn_file_actions_destroy(&actions)
      posix_spawnattr_destroy(&attributes)
    }
    posix_spawn_file_actions_addopen(&actions, 0, "/dev/null", O_RDONLY, 0)
    posix_spawn_file_actions_addopen(&actions, 1, log, O_WRONLY | O_CREAT | O_APPEND, 0o644)
    posix_spawn_file_actions_adddup2(&actions, 1, 2)
    // A group of its own: what is typed at the terminal is not for it.
    posix_spawnattr_setflags(&attributes, Int16(POSIX_SPAWN_SETPGROUP))
    var arguments: [UnsafeMutablePointer<CChar>?] = [strdup(executable), nil]
    var variables: [UnsafeMutablePointer<CChar>?] = environment.map { strdup("\($0.key)=\($0.value)") } + [nil]
    defer { for text in arguments + variables { free(text) } }
    var pid: pid_t = 0
    let code = posix_spawn(&pid, executable, &actions, &attributes, &arguments, &variables)
    guard code == 0 else { throw NotStarted(description: "\(executable): \(String(cString: strerror(code)))") }
    self.pid = pid
  }

  /// Takes note of its end, if it has ended.
  var isRunning: Bool { waitpid(pid, nil, WNOHANG) == 0 && ProcessTable.isRunning(pid) }
}
