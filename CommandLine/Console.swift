import Foundation
import Models

/// Where a command prints, and asks.
protocol Console: Sendable {
  var printsToTerminal: Bool { get }
  var readsFromTerminal: Bool { get }
  /// Whether what is said on standard error is seen at once, and kept nowhere.
  var asksAtTerminal: Bool { get }
  /// To standard output, as it is.
  func write(_ bytes: Data) throws
  /// A line to standard error, as it is.
  func writeError(_ line: String)
  /// A question to standard error, with no end of the line.
  func ask(_ question: String)
  /// The columns of the terminal that standard output goes to; nil when it goes elsewhere.
  var outputWidth: Int? { get }
  /// Whether what is printed may have colours.
  var hasColours: Bool { get }
  /// The columns of the terminal that standard error goes to; nil when it goes elsewhere.
  var terminalWidth: Int? { get }
  /// Puts a line in the place of the one that the terminal's cursor is in, and leaves the cursor there; an empty one
  /// takes it away.
  func redraw(_ line: String)
  /// A line of standard input without its end; nil at the end of the input.
  func readLine() -> String?
  /// Standard input up to its end, or to so many bytes; nil when it cannot be read.
  func readInput(upTo limit: Int) -> Data?
  /// Asks, and takes a line from the terminal that is not shown while it is typed.
  func askUnseen(_ question: String) throws -> String?
  /// The terminal as it is, for somebody else's program behind it; nil when there is none.
  func openTerminal() -> RawTerminal?
}

extension Console {
  /// A line for people, on standard error, with what must not reach a terminal replaced.
  func tell(_ line: String) { writeError(Text.printable(line, limit: .max)) }

  /// A table, in colours where the terminal has them, and no wider than it. Its cells hold nothing that must not reach one.
  func print(table: Table) throws { try write(Data(table.text(width: outputWidth, inColours: hasColours).utf8)) }

  /// Text to standard output; on a terminal, what must not reach one is replaced.
  func print(_ text: String) throws {
    guard printsToTerminal else { return try write(Data(text.utf8)) }
    let lines = text.split(separator: "\n", omittingEmptySubsequences: false)
    try write(Data(lines.map { Text.printable(String($0), limit: .max) }.joined(separator: "\n").utf8))
  }
}

/// The console of the process.
struct ProcessConsole: Console {
  var printsToTerminal: Bool { isatty(STDOUT_FILENO) == 1 }
  var readsFromTerminal: Bool { isatty(STDIN_FILENO) == 1 }
  var asksAtTerminal: Bool { isatty(STDERR_FILENO) == 1 }

  /// A reader that has gone, such as `head`, is not an error.
  func write(_ bytes: Data) throws {
    var rest = bytes[...]
    while !rest.isEmpty {
      let written = rest.withUnsafeBytes { Foundation.write(STDOUT_FILENO, $0.baseAddress, $0.count) }
      if written < 0, errno == EINTR { continue }
      if written < 0, errno == EPIPE { return }
      guard written > 0 else {
        throw CommandFailure(.failed, "Cannot write the result: \(String(cString: strerror(errno))).")
      }
      rest = rest.dropFirst(written)
    }
  }

  /// A terminal without control sequences is none to draw on.
  var terminalWidth: Int? { Self.hasControls ? Self.columns(of: STDERR_FILENO) : nil }

  var outputWidth: Int? { Self.columns(of: STDOUT_FILENO) }

  /// See https://no-color.org.
  var hasColours: Bool {
    let noColour = ProcessInfo.processInfo.environment["NO_COLOR"] ?? ""
    return printsToTerminal && Self.hasControls && noColour.isEmpty
  }

  private static var hasControls: Bool { ProcessInfo.processInfo.environment["TERM"] ?? "dumb" != "dumb" }

  private static func columns(of descriptor: Int32) -> Int? {
    var size = winsize()
    guard isatty(descriptor) == 1 else { return nil }
    guard ioctl(descriptor, UInt(TIOCGWINSZ), &size) == 0, size.ws_col > 0 else { return 80 }
    return Int(size.ws_col)
  }

  /// ECMA-48: carriage return, and EL 2, which erases the line.
  func redraw(_ line: String) { ask("\r\u{1B}[2K\(line)") }

  func ask(_ question: String) { try? FileHandle.standardError.write(contentsOf: Data(question.utf8)) }

  func writeError(_ line: String) { try? FileHandle.standardError.write(contentsOf: Data("\(line)\n".utf8)) }

  func readLine() -> String? { Swift.readLine() }

  func openTerminal() -> RawTerminal? { readsFromTerminal && printsToTerminal ? RawTerminal() : nil }

  func readInput(upTo limit: Int) -> Data? {
    var input = Data()
    var buffer = [UInt8](repeating: 0, count: 64 << 10)
    while input.count < limit {
      let count = read(STDIN_FILENO, &buffer, min(buffer.count, limit - input.count))
      if count < 0, errno == EINTR { continue }
      guard count >= 0 else { return nil }
      guard count > 0 else { break }
      input.append(contentsOf: buffer[..<count])
    }
    return input
  }

  func askUnseen(_ question: String) throws -> String? {
    var original = termios()
    guard tcgetattr(STDIN_FILENO, &original) == 0 else { return readLine() }
    var unseen = UnseenInput.settings(from: original)
    tcsetattr(STDIN_FILENO, TCSAFLUSH, &unseen)
    defer {
      tcsetattr(STDIN_FILENO, TCSAFLUSH, &original)
      writeError("")
    }
    // Not before: who answers at once would be seen.
    ask(question)
    var bytes = [UInt8](repeating: 0, count: UnseenInput.longest)
    let count = read(STDIN_FILENO, &bytes, bytes.count)
    return try UnseenInput.line(bytes.prefix(max(0, count)))
  }
}

/// A line typed without being shown. Signals are off meanwhile, or an interruption would leave the terminal mute;
/// Ctrl-C ends the line instead, and is looked for in it.
enum UnseenInput {
  /// As long as a terminal's line can be (`N_TTY_BUF_SIZE` of Linux).
  static let longest = 4096
  private static let interrupt: UInt8 = 3

  static func settings(from original: termios) -> termios {
    var settings = original
    settings.c_lflag &= ~tcflag_t(ECHO | ISIG)
    withUnsafeMutableBytes(of: &settings.c_cc) { $0[Int(VEOL)] = interrupt }
    return settings
  }

  static func line(_ bytes: some Collection<UInt8>) throws -> String? {
    guard !bytes.contains(interrupt) else { throw CommandFailure(.failed, "Interrupted.") }
    guard !bytes.isEmpty else { return nil }
    return String(decoding: bytes.prefix { $0 != UInt8(ascii: "\n") }, as: UTF8.self)
  }
}
