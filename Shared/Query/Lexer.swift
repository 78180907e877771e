import Models

/// Splits a query into tokens, one at a time, so that the first mistake is the one that is told.
struct Lexer {
  private let scalars: [Unicode.Scalar]
  private var index = 0

  /// - Throws: `ServiceError` `bad_query` if the text is too long or has control characters.
  init(_ text: String) throws {
    guard text.utf8.count <= QueryLimit.bytes else {
      let last = text.utf8.prefix(QueryLimit.bytes + 1).count { !UTF8.isContinuation($0) }
      throw ServiceError.badQuery(at: last, "a query has at most \(QueryLimit.bytes) bytes")
    }
    scalars = Array(text.unicodeScalars)
    if let position = scalars.firstIndex(where: \.isForbiddenInQuery) {
      throw ServiceError.badQuery(at: position + 1, "control characters are not allowed")
    }
  }

  /// The next token; after the last, `end` again and again.
  /// - Throws: `ServiceError` `bad_query` at a string without an end, or at what only begins like a number.
  mutating func next() throws -> Token {
    index += run(from: index, where: \.isSpace)
    guard let first = scalar(at: index) else { return take(0, as: .end) }
    if first == "'" || first == "\"" { return try string(quotedBy: first) }
    if first.isDigit || first == "-" && scalar(at: index + 1)?.isDigit == true { return try number() }
    if first.isWord { return word() }
    if let pair = Token.pairs[Array(scalars[index...].prefix(2))] { return take(2, as: pair) }
    return take(1, as: Token.symbols[first] ?? .other)
  }

  private mutating func word() -> Token {
    let word = take(run(from: index, where: \.isWord), as: .word)
    guard let keyword = Token.keywords[word.text.lowercased()] else { return word }
    return Token(kind: keyword, text: word.text, position: word.position)
  }

  private mutating func number() throws -> Token {
    let token = take(1 + run(from: index + 1) { $0.isWord || $0 == "." }, as: .number)
    if Number.isWellFormed(token.text) { return token }
    throw ServiceError.badQuery(
      at: token.position, "a number is written as 12, -12 or 12.5, in at most \(QueryLimit.number) characters")
  }

  /// A quote inside is written twice.
  private mutating func string(quotedBy quote: Unicode.Scalar) throws -> Token {
    let start = index
    var content = String.UnicodeScalarView()
    index += 1
    while let scalar = scalar(at: index) {
      index += 1
      if scalar == quote {
        guard self.scalar(at: index) == quote else {
          return Token(kind: .string, text: String(content), position: start + 1)
        }
        index += 1
      }
      content.append(scalar)
    }
    throw ServiceError.badQuery(at: start + 1, "the string that begins here has no end")
  }

  private func scalar(at index: Int) -> Unicode.Scalar? { index < scalars.count ? scalars[index] : nil }

  private func run(from start: Int, where matches: (Unicode.Scalar) -> Bool) -> Int {
    scalars[start...].prefix(while: matches).count
  }

  private mutating func take(_ length: Int, as kind: Token.Kind) -> Token {
    defer { index += length }
    let spelling = String(String.UnicodeScalarView(scalars[index...].prefix(length)))
    return Token(kind: kind, text: spelling, position: index + 1)
  }
}

extension Unicode.Scalar {
  var isDigit: Bool { ("0"..."9").contains(self) }
  fileprivate var isWord: Bool { isDigit || self == "_" || ("a"..."z").contains(self) || ("A"..."Z").contains(self) }
  fileprivate var isSpace: Bool { self == " " || isLayout }
  fileprivate var isForbiddenInQuery: Bool { properties.generalCategory == .control && !isLayout }
  private var isLayout: Bool { self == "\t" || self == "\n" || self == "\r" }
}
