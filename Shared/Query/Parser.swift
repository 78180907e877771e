import Models

/// Recursive descent, one method for each rule:
///
///     any    = all { OR all }
///     all    = factor { AND factor }
///     factor = NOT factor | "(" any ")" | term
///     term   = field test
///     test   = comparison literal | IS [NOT] NULL | [NOT] (LIKE | ILIKE) literal | [NOT] IN list
///     list   = "(" literal { "," literal } ")"
struct Parser {
  private var lexer: Lexer
  private var token: Token
  private var terms = 0
  private var depth = 0

  /// The condition of a query; nil for a blank one.
  /// - Throws: `ServiceError` `bad_query`.
  static func parse(_ text: String) throws -> Condition? {
    var parser = try Parser(text)
    guard parser.token.kind != .end else { return nil }
    let condition = try parser.any()
    try parser.expect(.end, "AND, OR or the end")
    return condition
  }

  private init(_ text: String) throws {
    lexer = try Lexer(text)
    token = try lexer.next()
  }

  private mutating func any() throws -> Condition {
    var parts = [try all()]
    while try take(.or) { parts.append(try all()) }
    return parts.count == 1 ? parts[0] : .any(parts)
  }

  private mutating func all() throws -> Condition {
    var parts = [try factor()]
    while try take(.and) { parts.append(try factor()) }
    return parts.count == 1 ? parts[0] : .all(parts)
  }

  private mutating func factor() throws -> Condition {
    switch token.kind {
    case .not: try nested { .not(try $0.factor()) }
    case .opening: try nested { try $0.parenthesised() }
    default: .term(try term())
    }
  }

  /// One level deeper, past the token that opens it.
  private mutating func nested(_ body: (inout Self) throws -> Condition) throws -> Condition {
    guard depth < QueryLimit.nesting else {
      throw ServiceError.badQuery(
        at: token.position, "parentheses and NOT stand at most \(QueryLimit.nesting) deep in each other")
    }
    depth += 1
    defer { depth -= 1 }
    try advance()
    return try body(&self)
  }

  private mutating func parenthesised() throws -> Condition {
    let condition = try any()
    try expect(.closing, "AND, OR or ')'")
    return condition
  }

  private mutating func term() throws -> Term {
    let field = try expect(.word, "the field that a comparison begins with, NOT or '('")
    guard terms < QueryLimit.terms else {
      throw ServiceError.badQuery(at: field.position, "a query has at most \(QueryLimit.terms) comparisons")
    }
    terms += 1
    return Term(field: field.text, position: field.position, test: try test())
  }

  private mutating func test() throws -> Term.Test {
    if case .comparison(let comparison) = token.kind {
      try advance()
      return .compare(comparison, try literal())
    }
    if try take(.is) { return try nullity() }
    let negated = try take(.not)
    if try take(.like) { return .like(try literal(), ignoringCase: false, negated: negated) }
    if try take(.ilike) { return .like(try literal(), ignoringCase: true, negated: negated) }
    if try take(.in) { return .isIn(try list(), negated: negated) }
    throw token.unexpected(negated ? "LIKE, ILIKE or IN" : "=, !=, <, <=, >, >=, LIKE, ILIKE, IN or IS NULL")
  }

  private mutating func nullity() throws -> Term.Test {
    let negated = try take(.not)
    try expect(.null, negated ? "NULL" : "NULL or NOT NULL")
    return .isNull(negated: negated)
  }

  private mutating func list() throws -> [Literal] {
    try expect(.opening, "'('")
    var literals = [try literal()]
    while try take(.comma) { literals.append(try literal()) }
    try expect(.closing, "',' or ')'")
    return literals
  }

  private mutating func literal() throws -> Literal {
    switch token.kind {
    case .string, .number, .boolean:
      let literal = Literal(text: token.text, position: token.position)
      try advance()
      return literal
    case .null: throw ServiceError.badQuery(at: token.position, "NULL equals nothing; ask by IS NULL or IS NOT NULL")
    default: throw token.unexpected("a string in quotes, a number, true or false")
    }
  }

  private mutating func advance() throws { token = try lexer.next() }

  private mutating func take(_ kind: Token.Kind) throws -> Bool {
    guard token.kind == kind else { return false }
    try advance()
    return true
  }

  @discardableResult
  private mutating func expect(_ kind: Token.Kind, _ expectation: String) throws -> Token {
    let found = token
    guard try take(kind) else { throw found.unexpected(expectation) }
    return found
  }
}
