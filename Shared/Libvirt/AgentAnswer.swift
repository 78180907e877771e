import Foundation

/// What the guest agent answers. A guest can have it say anything: what is not exactly as it should be is
/// ``LibvirtError/Code/agentCommandFailed``.
struct AgentAnswer<Value: Decodable>: Decodable {
  let value: Value

  private enum CodingKeys: String, CodingKey {
    case value = "return"
  }

  /// The value an answer carries.
  static func value(of answer: String) throws(LibvirtError) -> Value {
    do {
      return try JSONDecoder().decode(Self.self, from: Data(answer.utf8)).value
    } catch {
      throw .nonsense("\(error)")
    }
  }
}

/// The answer to `guest-file-read`.
struct AgentFileChunk: Decodable {
  let count: Int
  let base64: String
  let isLast: Bool

  private enum CodingKeys: String, CodingKey {
    case count
    case base64 = "buf-b64"
    case isLast = "eof"
  }

  /// The bytes, refused when they are more than was asked for or not what `count` says.
  func bytes(atMost limit: Int) throws(LibvirtError) -> Data {
    guard base64.utf8.count <= (limit + 2) / 3 * 4 else { throw .nonsense("more than was asked for") }
    // Decoding alone would let pass some of what no encoder writes.
    guard let bytes = Data(base64Encoded: base64), bytes.base64EncodedString() == base64 else {
      throw .nonsense("not base64")
    }
    guard bytes.count == count, count <= limit else { throw .nonsense("\(bytes.count) bytes said to be \(count)") }
    return bytes
  }
}

/// The answer to `guest-info`, as far as it is of use.
struct AgentInfo: Decodable {
  let commands: [Command]

  private enum CodingKeys: String, CodingKey {
    case commands = "supported_commands"
  }

  struct Command: Decodable {
    let name: String
    let enabled: Bool
  }

  /// Whether the agent carries out that command.
  func allows(_ name: String) -> Bool {
    commands.contains { $0.name == name && $0.enabled }
  }
}

extension LibvirtError {
  /// An answer that makes no sense. The message is cut, as a guest can make it long.
  static func nonsense(_ message: String) -> LibvirtError {
    .refused(.agentCommandFailed, "the guest agent answers nonsense: \(message.prefix(200))")
  }
}
