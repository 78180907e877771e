/// A code of a second factor, or a recovery code. It may be seen while it is typed, because it is good only once.
enum OneTimeCode {
  static let prompt = "Code of the second factor, or a recovery code"

  /// - Throws: `CommandFailure` when none is typed.
  static func ask(_ console: any Console, prompt: String) throws -> String {
    console.ask("\(prompt): ")
    return try checked(console.readLine() ?? "")
  }

  /// The code without the gaps that apps and people put into it.
  /// - Throws: `CommandFailure` when nothing is left.
  static func checked(_ text: String) throws -> String {
    let code = text.filter { !$0.isWhitespace }
    guard !code.isEmpty else { throw CommandFailure(.usage, "No code was given.") }
    return code
  }
}
