/// Makes valid queries against the sample schema.
struct QueryGenerator {
  var random: SplitMix64
  /// The contents of the strings of the last query.
  private(set) var strings: [String] = []

  init(seed: UInt64) { random = SplitMix64(seed: seed) }

  /// - Parameter depth: How deep AND, OR, NOT and parentheses stand in each other.
  mutating func query(depth: Int) -> String {
    strings = []
    return condition(depth: depth)
  }

  private mutating func condition(depth: Int) -> String {
    guard depth > 0 else { return term() }
    switch Int.random(in: 0..<10, using: &random) {
    case 0...2: return chain(word("AND"), depth: depth - 1)
    case 3...4: return chain(word("OR"), depth: depth - 1)
    case 5: return word("NOT") + " " + condition(depth: depth - 1)
    case 6: return "(" + space() + condition(depth: depth - 1) + space() + ")"
    default: return term()
    }
  }

  private mutating func chain(_ operation: String, depth: Int) -> String {
    (0..<Int.random(in: 2...3, using: &random)).map { _ in condition(depth: depth) }.joined(separator: " \(operation) ")
  }

  private mutating func term() -> String {
    switch Int.random(in: 0..<7, using: &random) {
    case 0: test("name", comparisons) { $0.textual() }
    case 1: test("email", comparisons) { $0.textual() }
    case 2: test("id", ["=", "!=", "<>"]) { $0.identifier() }
    case 3: test("mem", comparisons) { $0.numeric() }
    case 4: test("admin", ["=", "!=", "<>"]) { $0.boolean() }
    case 5: test("createdAt", comparisons) { $0.quoted($0.random.pick(Self.times)) }
    default:
      word(random.pick(["name", "email", "id"])) + " " + negation() + word(random.pick(["LIKE", "ILIKE"])) + pattern()
    }
  }

  private mutating func test(
    _ field: String, _ comparisons: [String], _ literal: (inout Self) -> String
  ) -> String {
    let field = word(field)
    switch Int.random(in: 0..<4, using: &random) {
    case 0: return field + " " + word("IS") + " " + negation() + word("NULL")
    case 1:
      let literals = (0..<Int.random(in: 1...3, using: &random)).map { _ in space() + literal(&self) + space() }
      return field + " " + negation() + word("IN") + space() + "(" + literals.joined(separator: ",") + ")"
    default: return field + space() + random.pick(comparisons) + space() + literal(&self)
    }
  }

  private mutating func textual() -> String {
    random.chance(20) ? numeric() : random.chance(10) ? boolean() : quoted(text())
  }

  private mutating func identifier() -> String {
    random.chance(70) ? quoted(random.pick([firstUUID.written, secondUUID.written])) : textual()
  }

  private mutating func numeric() -> String {
    let number = random.pick(Self.numbers)
    return random.chance(25) ? quoted(number) : number
  }

  private mutating func boolean() -> String {
    let value = word(random.pick(["true", "false"]))
    return random.chance(25) ? quoted(value) : value
  }

  private mutating func pattern() -> String { space() + quoted(text() + random.pick(["%", "_", #"\\"#, #"\%"#])) }

  /// A text that cannot be part of the SQL by chance, as it begins with a word of its own.
  private mutating func text() -> String { "zq" + random.array(0...6) { $0.pick(Self.fragments) }.joined() }

  private mutating func quoted(_ content: String) -> String {
    strings.append(content)
    let quote: Unicode.Scalar = random.pick(["'", "\""])
    let doubled = content.unicodeScalars.flatMap { $0 == quote ? [$0, $0] : [$0] }
    return String(String.UnicodeScalarView([quote] + doubled + [quote]))
  }

  private mutating func negation() -> String { random.chance(30) ? word("NOT") + " " : "" }

  private mutating func space() -> String { random.pick(["", "", " ", "\t", "\n", "  "]) }

  /// In one of its cases.
  private mutating func word(_ word: String) -> String { random.pick([word, word.lowercased(), word.uppercased()]) }

  private let comparisons = ["=", "!=", "<>", "<", "<=", ">", ">="]

  private static let fragments = [
    "a", "Z", "7", " ", "'", "\"", "''", "\\\\", ";", "--", "/*", "*/", "$1", "?", "::", "(", ")", ",", "%", "_", "{",
    "}", "NULL", "é", "e\u{301}", "\u{301}", "😀", "\u{202E}", "\u{FFFD}", "\t", "\n", " OR 1=1", "SELECT",
  ]
  private static let numbers = ["0", "-1", "512", "007", "1.5", "-0.25", "9223372036854775807", "9223372036854775808"]
  private static let times = [
    "2026-01-31", "2026-01-31T12:34:56Z", "2026-01-31 12:34:56.789+05:30", "0001-01-01T00:00:00+15:59",
  ]
}
