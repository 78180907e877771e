import Models

/// What may stand where the cursor is.
struct ShellCompletion: Sendable {
  /// The names and ids of things of a kind.
  let names: @Sendable (ShellVerb.Kind) -> [String]

  /// - Parameters:
  ///   - line: Up to the cursor.
  ///   - word: The last word of it, as far as it is typed; what comes takes its place.
  /// - Returns: Whole words, in order.
  func candidates(_ line: String, completing word: String) -> [String] {
    let before = ShellWords(String(line.dropLast(min(word.count, line.count)))).texts
    let next = Set(
      ShellVerb.all.filter { $0.words.count > before.count && $0.words.starts(with: before) }.map {
        $0.words[before.count]
      })
    if !next.isEmpty { return next.filter { $0.hasPrefix(word) }.sorted() }
    guard let verb = ShellVerb.all.first(where: { before.starts(with: $0.words) }) else { return [] }
    let place = before.count - verb.words.count
    guard !verb.takesQuery, verb.parameters.indices.contains(place) else { return [] }
    let kind = verb.parameters[place].kind
    guard kind != .text, kind != .secret else { return [] }
    // A name that would draw on the terminal is not offered.
    let found = Set(names(kind)).filter { $0.hasPrefix(word) && Text.printable($0, limit: .max) == $0 }
    return found.map(Self.quoted).sorted()
  }

  private static func quoted(_ name: String) -> String {
    guard name.contains(where: { $0.isWhitespace || "\"'\\".contains($0) }) else { return name }
    let escaped = name.replacing("\\", with: "\\\\").replacing("\"", with: "\\\"")
    return "\"\(escaped)\""
  }
}

extension ShellVerb {
  /// A line as it may be kept: without what is secret, and without what stands behind it.
  static func memorable(_ line: String) -> String {
    let parsed = ShellWords(line)
    // What is no command may be a mistyped log-in.
    guard let verb = all.first(where: { parsed.texts.starts(with: $0.words) }) else { return "" }
    guard let place = verb.parameters.firstIndex(where: { $0.kind == .secret }) else { return line }
    let secret = verb.words.count + place
    guard parsed.words.count > secret else { return line }
    return String(line[..<parsed.words[secret].start]).trimmingCharacters(in: .whitespaces)
  }
}
