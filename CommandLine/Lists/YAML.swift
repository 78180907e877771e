import Foundation
import Yams

/// The API's own objects as YAML 1.2, of which JSON is a part: members stay in their order.
enum YAML {
  /// - Throws: `CommandFailure` for what is no JSON.
  static func text(ofJSON bytes: Data) throws -> String {
    do {
      guard let node = try Yams.compose(yaml: String(decoding: bytes, as: UTF8.self)) else { return "" }
      return try Yams.serialize(node: block(node), width: -1, allowUnicode: true)
    } catch {
      throw CommandFailure(.failed, "The answer cannot be written as YAML.")
    }
  }

  /// The same in lines instead of braces, and without quotes that are not needed.
  private static func block(_ node: Node) -> Node {
    switch node {
    case .mapping(let mapping):
      return .mapping(
        .init(mapping.map { (block($0.key), block($0.value)) }, .implicit, mapping.isEmpty ? .flow : .block))
    case .sequence(let sequence):
      return .sequence(.init(sequence.map(block), .implicit, sequence.isEmpty ? .flow : .block))
    case .scalar(var scalar):
      let isText = scalar.style == .doubleQuoted
      if isText { scalar.style = isPlain(scalar.string) ? .plain : .doubleQuoted }
      return .scalar(scalar)
    case .alias: return node
    }
  }

  /// Whether nobody would take the text for anything but text.
  private static func isPlain(_ text: String) -> Bool {
    guard text.wholeMatch(of: /[A-Za-z][A-Za-z0-9_.\/@+-]*( [A-Za-z0-9_.\/@+-]+)*/) != nil else { return false }
    return !["true", "false", "null", "yes", "no", "on", "off", "y", "n"].contains(text.lowercased())
  }
}
