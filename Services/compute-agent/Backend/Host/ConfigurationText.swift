import Foundation

/// The text of a file of variables, as systemd reads it (systemd.exec(5), `EnvironmentFile=`): a `NAME=value` a line, and
/// comments. What is changed in it leaves all other lines as they are.
struct ConfigurationText: Equatable, Sendable {
  private(set) var lines: [String]

  init(_ text: String) {
    lines = text.split(separator: "\n", omittingEmptySubsequences: false).map(String.init)
    if lines.last == "" { lines.removeLast() }
  }

  var text: String { lines.map { $0 + "\n" }.joined() }

  /// All that is set; the last of several counts.
  var values: [String: String] {
    lines.reduce(into: [:]) { values, line in
      if let (name, value) = Self.assignment(line) { values[name] = value }
    }
  }

  /// Gives a variable a value: where it is set, or after the comment that shows its default, or at the end.
  mutating func set(_ name: String, _ value: String) {
    guard values[name] != value else { return }
    let line = "\(name)=\(Self.quoted(value))"
    if let index = lines.lastIndex(where: { Self.assignment($0)?.name == name }) {
      lines[index] = line
    } else if let index = lines.firstIndex(where: { Self.commented($0) == name }) {
      lines[index] = line
    } else {
      lines.append(line)
    }
  }

  private static func assignment(_ line: String) -> (name: String, value: String)? {
    guard let match = line.wholeMatch(of: /\s*([A-Za-z_][A-Za-z0-9_]*)=(.*)/) else { return nil }
    return (String(match.1), unquoted(match.2))
  }

  /// The name in `#NAME=…`.
  private static func commented(_ line: String) -> String? {
    line.wholeMatch(of: /#\s?([A-Z][A-Z0-9_]*)=.*/).map { String($0.1) }
  }

  private static func unquoted(_ value: Substring) -> String {
    let text = value.trimmingCharacters(in: .whitespaces)
    for quote in ["\"", "'"] where text.count >= 2 && text.hasPrefix(quote) && text.hasSuffix(quote) {
      let inner = text.dropFirst().dropLast()
      return quote == "'" ? String(inner) : String(inner.replacing(/\\(["\\$`])/) { String($0.1) })
    }
    return text
  }

  /// In double quotes where a bare word would not do.
  private static func quoted(_ value: String) -> String {
    guard value.wholeMatch(of: /[A-Za-z0-9_.,:\/@%+=?&\[\]-]*/) == nil else { return value }
    return "\"" + value.replacing(/["\\$`]/) { "\\\($0.0)" } + "\""
  }
}
