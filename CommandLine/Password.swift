import ArgumentParser
import Foundation

/// A password, from wherever it is given.
struct PasswordOptions: ParsableArguments {
  private static let largest = 4 << 10

  @Argument(help: "The password; others on this machine can see it. Without it, it is asked for.")
  var password: String?

  @Option(
    name: .customLong("password-file"),
    help: ArgumentHelp("Read it from this file's first line.", valueName: "file"))
  var passwordFile: String?

  func validate() throws {
    guard password == nil || passwordFile == nil else {
      throw ValidationError("Give the password or --password-file, not both.")
    }
  }

  /// - Throws: `CommandFailure` when there is none.
  func read(_ console: any Console, prompt: String) throws -> String {
    let found = try password ?? passwordFile.map(Self.firstLine) ?? Self.ask(console, prompt)
    guard let found, !found.isEmpty else { throw CommandFailure(.usage, "No password was given.") }
    return found
  }

  private static func ask(_ console: any Console, _ prompt: String) throws -> String? {
    guard console.readsFromTerminal else { return console.readLine() }
    console.ask("\(prompt): ")
    return try console.readUnseen()
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
    guard data.count <= largest, let text = String(validating: data, as: UTF8.self) else {
      throw CommandFailure(.usage, "\(path) is too long, or not text.")
    }
    return text
  }
}
