import Foundation
import Synchronization

/// A program that takes the place of this process.
struct Program: Equatable, Sendable {
  /// The first is its name, which is looked for in PATH.
  let arguments: [String]

  /// Does not return.
  /// - Throws: `CommandFailure` when there is no such program.
  func replaceProcess() throws {
    // What is ignored or blocked stays so in the program; the pool's threads block signals.
    let handler = signal(SIGPIPE, SIG_DFL)
    var none = sigset_t()
    var blocked = sigset_t()
    sigemptyset(&none)
    pthread_sigmask(SIG_SETMASK, &none, &blocked)
    var pointers = arguments.map { strdup($0) } + [nil]
    if let name = pointers[0] { execvp(name, &pointers) }
    let reason = String(cString: strerror(errno))
    for pointer in pointers { free(pointer) }
    // There is no such program: this one goes on, as it was.
    signal(SIGPIPE, handler)
    pthread_sigmask(SIG_SETMASK, &blocked, nil)
    throw CommandFailure(.failed, "Cannot run \(arguments.first ?? ""): \(reason).")
  }
}

/// The program that a command leaves the process to, once its own connections are closed.
final class Successor: Sendable {
  private let chosen = Mutex<Program?>(nil)

  var program: Program? { chosen.withLock { $0 } }

  func choose(_ program: Program) { chosen.withLock { $0 = program } }
}
