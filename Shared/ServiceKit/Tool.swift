import Subprocess
import SystemPackage

/// Runs programs of the system, without a shell.
public enum Tool {
  /// What a program said.
  public struct Outcome: Sendable {
    /// The exit status; nil when a signal ended it.
    public let status: Int32?
    public let output: String
    public let errors: String
    public var succeeded: Bool { status == 0 }
  }

  private static let outputLimit = 1 << 20

  /// Runs a program to its end; when the task is cancelled, the program is ended too.
  /// - Parameter name: A path, or a name that is looked up in `PATH`.
  /// - Throws: When it cannot be started, or writes more than 1 MiB.
  public static func run(_ name: String, _ arguments: [String]) async throws -> Outcome {
    let executable: Executable = name.contains("/") ? .path(FilePath(name)) : .name(name)
    let result = try await Subprocess.run(
      executable, arguments: Arguments(arguments), output: .string(limit: outputLimit),
      error: .string(limit: outputLimit))
    var status: Int32?
    if case .exited(let code) = result.terminationStatus { status = code }
    return Outcome(status: status, output: result.standardOutput, errors: result.standardError)
  }
}
