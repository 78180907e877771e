import CLibedit
import Dispatch
import Foundation
import Synchronization

/// Lines that are edited at a terminal, with a history and completion (libedit, by its interface of GNU Readline).
final class TerminalLines: LineSource {
  private static let prompt = "cli> "
  private static let kept: Int32 = 1000

  private let history: PrivateFile
  /// libedit may be called by one thread only.
  private let queue = DispatchQueue(label: "libedit")

  /// - Parameters:
  ///   - history: Where lines are kept from one time to the next.
  ///   - completion: Called by the thread that reads; may wait a moment.
  init(history: PrivateFile, completion: ShellCompletion) {
    self.history = history
    Self.completion.withLock { $0 = completion }
    queue.sync {
      libedit_prepare("iaas") { text, _, end in TerminalLines.matches(text, end) }
      using_history()
      stifle_history(Self.kept)
      read_history(history.path)
    }
  }

  func next() async -> ShellLine? {
    await withCheckedContinuation { continuation in
      queue.async { continuation.resume(returning: Self.read()) }
    }
  }

  private static func read() -> ShellLine? {
    Interrupts.listen()
    let before = Interrupts.count
    guard let bytes = readline(prompt) else {
      // An interrupted read ends like the input does.
      let isInterrupted = Interrupts.count != before
      try? FileHandle.standardOutput.write(contentsOf: Data("\n".utf8))
      return isInterrupted ? .abandoned : nil
    }
    defer { free(bytes) }
    return .line(String(cString: bytes))
  }

  func remember(_ line: String) {
    guard !line.isEmpty else { return }
    queue.sync {
      add_history(line)
      // libedit would make the file readable to all.
      try? history.makeFolder()
      let descriptor = open(history.path, O_WRONLY | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0o600)
      guard descriptor >= 0 else { return }
      fchmod(descriptor, 0o600)
      close(descriptor)
      write_history(history.path)
    }
  }

  // MARK: Completion

  private static let completion = Mutex<ShellCompletion?>(nil)
  private static let found = Mutex<[String]>([])

  /// What libedit asks for when the tabulator is pressed.
  private static func matches(
    _ text: UnsafePointer<CChar>?, _ end: Int32
  ) -> UnsafeMutablePointer<UnsafeMutablePointer<CChar>?>? {
    libedit_end_completion(0x20)
    guard let text, let buffer = libedit_line(), let completion = completion.withLock({ $0 }) else { return nil }
    let line = String(decoding: UnsafeRawBufferPointer(start: buffer, count: Int(end)), as: UTF8.self)
    let candidates = completion.candidates(line, completing: String(cString: text))
    found.withLock { $0 = candidates.reversed() }
    // It takes one after another until there is none, and frees each.
    return rl_completion_matches(text) { _, _ in
      TerminalLines.found.withLock { $0.popLast() }.flatMap { strdup($0) }
    }
  }
}

/// Ctrl-C at the prompt, and while a command runs.
enum Interrupts {
  private static let number = Atomic<Int>(0)

  static var count: Int { number.load(ordering: .relaxed) }

  /// From now on the signal is counted, and ends a read that waits.
  static func listen() {
    var action = sigaction()
    // Nothing is done that a handler must not do (signal-safety(7)): an atomic number is raised.
    action.__sigaction_handler.sa_handler = { _ in Interrupts.number.add(1, ordering: .relaxed) }
    sigaction(SIGINT, &action, nil)
  }

  /// Runs `body`, which is cancelled by Ctrl-C.
  static func cancelling(_ body: @escaping @Sendable () async -> CommandStatus) async -> CommandStatus {
    listen()
    let before = count
    let work = Task { await body() }
    let watch = Task {
      while !Task.isCancelled {
        try? await Task.sleep(for: .milliseconds(100))
        if count != before { work.cancel() }
      }
    }
    defer { watch.cancel() }
    return await work.value
  }
}
