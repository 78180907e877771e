import Models

/// A piece of a query.
struct Token {
  enum Kind: Equatable {
    case word, string, number, boolean
    case and, or, not, `in`, `is`, like, ilike, null
    case comparison(Comparison)
    case opening, closing, comma
    /// A character that means nothing outside of a string.
    case other
    case end
  }

  let kind: Kind
  /// The content of a string; anything else as it is spelled.
  let text: String
  let position: Int

  static let keywords: [String: Kind] = [
    "and": .and, "or": .or, "not": .not, "in": .in, "is": .is, "like": .like, "ilike": .ilike, "null": .null,
    "true": .boolean, "false": .boolean,
  ]

  static let symbols: [Unicode.Scalar: Kind] = [
    "=": .comparison(.equal), "<": .comparison(.less), ">": .comparison(.greater),
    "(": .opening, ")": .closing, ",": .comma,
  ]

  static let pairs: [[Unicode.Scalar]: Kind] = [
    ["!", "="]: .comparison(.notEqual), ["<", ">"]: .comparison(.notEqual),
    ["<", "="]: .comparison(.lessOrEqual), [">", "="]: .comparison(.greaterOrEqual),
  ]

  /// The error that something else was expected here.
  func unexpected(_ expectation: String) -> ServiceError {
    let found = kind == .end ? "the end" : "'\(Text.printable(text, limit: QueryLimit.echo))'"
    return .badQuery(at: position, "expected \(expectation), but found \(found)")
  }
}
