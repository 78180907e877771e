import Foundation

@testable import Libvirt

/// A guest agent that answers from a script, one line after another, and notes what it was asked.
final class ScriptedAgent {
  private(set) var commands: [String] = []
  private var answers: [Result<String, LibvirtError>]

  init(_ answers: [Result<String, LibvirtError>]) {
    self.answers = answers
  }

  func ask(_ command: String) throws(LibvirtError) -> String {
    commands.append(command)
    guard !answers.isEmpty else { throw .refused(.agentUnresponsive, "the script is at its end") }
    return try answers.removeFirst().get()
  }

  /// The names of the commands it was asked.
  var asked: [String] {
    commands.map { (try? JSONDecoder().decode(Name.self, from: Data($0.utf8)))?.execute ?? "" }
  }

  private struct Name: Decodable {
    let execute: String
  }
}

extension Result where Success == String, Failure == LibvirtError {
  static let refusal: Self = .failure(.refused(.agentCommandFailed, "no such file"))

  static func answer(_ value: String) -> Self { .success(#"{"return":\#(value)}"#) }

  /// A part of a file, as an honest agent gives it.
  static func chunk(_ bytes: some Sequence<UInt8>, isLast: Bool) -> Self {
    let data = Data(bytes)
    return .answer(#"{"count":\#(data.count),"buf-b64":"\#(data.base64EncodedString())","eof":\#(isLast)}"#)
  }
}
