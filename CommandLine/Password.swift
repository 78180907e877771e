import ArgumentParser
import Foundation
import Models

/// A password: given, from a file, or from the terminal.
struct PasswordOptions: ParsableArguments {
  @Option(
    name: .customLong("password-file"),
    help: ArgumentHelp("Read the password from this file's first line; otherwise it is asked for.", valueName: "file"))
  var file: String?

  @Argument(
    help: ArgumentHelp(
      "The password; others on this machine can see it there. Without it, it is asked for.", valueName: "password"))
  var given: [String] = []

  func validate() throws {
    // The words are not repeated: they may be a secret.
    guard given.count + (file == nil ? 0 : 1) <= 1 else {
      throw ValidationError("There is an argument too many: one password, or --password-file.")
    }
  }

  /// A password that is in use.
  /// - Throws: `CommandFailure` when there is none.
  func read(_ console: any Console, prompt: String) throws -> String {
    if let given = given.first {
      guard !given.isEmpty else { throw CommandFailure(.usage, "No password was given.") }
      return given
    }
    return try Secret.read(file: file, console, prompt: prompt)
  }

  /// A password to be. People type it twice, because they do not see it.
  /// - Throws: as `read`, and when it is typed in two ways.
  func readNew(_ console: any Console, prompt: String) throws -> String {
    let password = try read(console, prompt: prompt)
    guard file == nil, given.isEmpty, console.readsFromTerminal else { return password }
    guard try Secret.read(file: nil, console, prompt: "Once more") == password else {
      throw CommandFailure(.usage, "The two passwords differ.")
    }
    return password
  }
}

/// The password of whoever asks, where the server wants to be sure of them.
struct CurrentPasswordOptions: ParsableArguments {
  @Option(
    name: .customLong("current-password-file"),
    help: ArgumentHelp(
      "Read your present password from this file's first line; otherwise it is asked for.", valueName: "file"))
  var file: String?

  /// - Throws: `CommandFailure` when there is none.
  func read(_ console: any Console) throws -> String {
    try Secret.read(file: file, console, prompt: "Your present password")
  }
}

/// Takes what stands on the command line where there is no place for anything. It may be a secret, which the message
/// about unexpected arguments would repeat.
struct StraySecrets: ParsableArguments {
  @Argument(help: .hidden)
  var strays: [String] = []

  func validate() throws {
    guard strays.isEmpty else {
      throw ValidationError(
        "There is an argument too many. Secrets do not stand on the command line, where others can see them: they are "
          + "asked for, or come from what an option names.")
    }
  }
}

/// What only one person may know.
enum Secret {
  private static let largest = 4 << 10

  /// The first line of a file; without one what is typed unseen, or a line of the input if that is no terminal.
  /// - Throws: `CommandFailure` when there is none.
  static func read(file: String?, _ console: any Console, prompt: String) throws -> String {
    let found = try file.map(firstLine) ?? ask(console, prompt)
    guard let found, !found.isEmpty else { throw CommandFailure(.usage, "No password was given.") }
    return found
  }

  private static func ask(_ console: any Console, _ prompt: String) throws -> String? {
    guard console.readsFromTerminal else { return console.readLine() }
    return try console.askUnseen(Text.printable("\(prompt): ", limit: .max))
  }

  private static func firstLine(of path: String) throws -> String {
    let text = try TextFile.read(path, largest: largest)
    return String(text.prefix { !$0.isNewline })
  }
}

/// A small file of text that an option names.
enum TextFile {
  /// - Throws: `CommandFailure` when it cannot be read, is longer than `largest` bytes, or is not UTF-8.
  static func read(_ path: String, largest: Int) throws -> String {
    guard let handle = FileHandle(forReadingAtPath: path), let data = try? handle.read(upToCount: largest + 1) ?? Data()
    else { throw CommandFailure(.usage, "Cannot read the file \(path).") }
    return try text(data, of: path, largest: largest)
  }

  /// - Throws: `CommandFailure` when it is longer than `largest` bytes, or is not UTF-8.
  static func text(_ data: Data, of path: String, largest: Int) throws -> String {
    guard data.count <= largest, let text = String(validating: data, as: UTF8.self) else {
      throw CommandFailure(.usage, "\(path) is too long, or not text.")
    }
    return text
  }
}
