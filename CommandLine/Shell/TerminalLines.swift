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
      setlocale(LC_CTYPE, "")
      libedit_prepare("iaas", { text, _, end in TerminalLines.matches(text, end) }, { _ in TerminalLines.character() })
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

  /// The next character that was typed; -1 at the end, and when the read was interrupted: libedit itself would read on.
  private static func character() -> Int32 {
    var bytes: [UInt8] = []
    while bytes.count < 4 {
      guard let byte = Interrupts.nextByte() else { return -1 }
      bytes.append(byte)
      if let scalar = String(validating: bytes, as: UTF8.self)?.unicodeScalars.first { return Int32(scalar.value) }
      // Not the beginning of a character: as it is.
      if bytes.count == 1, byte < 0xc2 || byte > 0xf4 { return Int32(byte) }
    }
    return 0xfffd
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
  /// A pipe by which the handler of the signal, whatever thread it comes to, wakes the one that waits for input.
  private static let pipe: (reading: Int32, writing: Int32) = {
    var ends: [Int32] = [-1, -1]
    _ = Foundation.pipe(&ends)
    for end in ends {
      _ = fcntl(end, F_SETFD, FD_CLOEXEC)
      _ = fcntl(end, F_SETFL, O_NONBLOCK)
    }
    return (ends[0], ends[1])
  }()

  static var count: Int { number.load(ordering: .relaxed) }

  /// From now on the signal is counted, and ends the waiting for input.
  static func listen() {
    drain()
    var action = sigaction()
    // Nothing is done that a handler must not do (signal-safety(7)): a number is raised, and a byte written. The pipe is
    // there already.
    action.__sigaction_handler.sa_handler = { _ in
      Interrupts.number.add(1, ordering: .relaxed)
      var byte: UInt8 = 0
      _ = write(Interrupts.pipe.writing, &byte, 1)
    }
    sigaction(SIGINT, &action, nil)
  }

  private static func drain() {
    var bytes = [UInt8](repeating: 0, count: 64)
    while read(pipe.reading, &bytes, bytes.count) > 0 {}
  }

  /// The terminal once more, so that a read of it need not wait: Ctrl-C takes away what was typed and not read yet, also
  /// between the moment when there is something and the read.
  /// One that belongs to somebody else, as after su, cannot be opened again.
  private static let terminal = {
    let again = open("/proc/self/fd/0", O_RDONLY | O_NONBLOCK | O_NOCTTY | O_CLOEXEC)
    return again >= 0 ? again : STDIN_FILENO
  }()

  /// Waits until something is typed.
  /// - Returns: Nil at the end, and when there was an interruption.
  static func nextByte() -> UInt8? {
    while true {
      var events = [
        pollfd(fd: terminal, events: Int16(POLLIN), revents: 0),
        pollfd(fd: pipe.reading, events: Int16(POLLIN), revents: 0),
      ]
      if poll(&events, 2, -1) < 0 {
        guard errno == EINTR else { return nil }
        continue
      }
      guard events[1].revents == 0 else { return nil }
      var byte: UInt8 = 0
      let count = read(terminal, &byte, 1)
      if count == 1 { return byte }
      guard count < 0, errno == EAGAIN || errno == EINTR else { return nil }
    }
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
