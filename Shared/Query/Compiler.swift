import Models
import Postgres

extension QuerySchema {
  /// The SQL of a condition, in parentheses.
  /// - Throws: `ServiceError` `bad_query` if the schema has no such field or a field no such comparison.
  func sql(_ condition: Condition) throws -> SQL {
    switch condition {
    case .all(let parts): try joined(parts) { "\($0) AND \($1)" }
    case .any(let parts): try joined(parts) { "\($0) OR \($1)" }
    case .not(let part): "(NOT \(try sql(part)))"
    case .term(let term): "(\(try field(of: term).sql(term)))"
    }
  }

  private func joined(_ parts: [Condition], by join: (SQL, SQL) -> SQL) throws -> SQL {
    let fragments = try parts.map(sql)
    return "(\(fragments.dropFirst().reduce(fragments[0], join)))"
  }
}

extension QueryField {
  /// What a term asks of this field.
  /// - Throws: `ServiceError` `bad_query` if the field's kind has no such comparison, or a literal is not of that kind.
  func sql(_ term: Term) throws -> SQL {
    switch term.test {
    case .compare(let comparison, let literal): try compared(comparison, literal, at: term.position)
    case .like(let pattern, let ignoringCase, let negated):
      try matched(pattern, ignoringCase: ignoringCase, negated: negated, at: term.position)
    case .isIn(let literals, let negated): try contained(in: literals, negated: negated)
    case .isNull(let negated): negated ? "\(expression) IS NOT NULL" : "\(expression) IS NULL"
    }
  }

  private func compared(_ comparison: Comparison, _ literal: Literal, at position: Int) throws -> SQL {
    guard isOrdered || !comparison.isOrdering else {
      throw ServiceError.badQuery(at: position, "\(name) has no order; ask for it by =, !=, IN or IS NULL")
    }
    guard let operand = try operand(literal) else { return equalToNothing(negated: comparison == .notEqual) }
    return "\(left) \(comparison.sql) \(operand)"
  }

  /// All literals are one array parameter: a list of another length is the same statement.
  private func contained(in literals: [Literal], negated: Bool) throws -> SQL {
    guard let operand = try operand(literals) else { return equalToNothing(negated: negated) }
    return negated ? "\(left) <> ALL (\(operand))" : "\(left) = ANY (\(operand))"
  }

  private func matched(_ pattern: Literal, ignoringCase: Bool, negated: Bool, at position: Int) throws -> SQL {
    guard let text = matchable else {
      throw ServiceError.badQuery(at: position, "\(name) is no text, and LIKE and ILIKE match texts only")
    }
    guard pattern.text.utf8.reversed().prefix(while: { $0 == UInt8(ascii: "\\") }).count.isMultiple(of: 2) else {
      throw ServiceError.badQuery(at: pattern.position, "the pattern ends in a lone backslash; write it twice")
    }
    let not: SQL = negated ? "NOT " : ""
    let like: SQL = ignoringCase || kind == .caseInsensitiveText ? "ILIKE" : "LIKE"
    return "\(text) \(not)\(like) \(pattern.text)::text"
  }

  /// As `=` and `<>` are with a value that no row has: decided where the field has a value, unknown where it has none.
  /// PostgreSQL's planner folds both, so that an index still serves what stands beside them.
  private func equalToNothing(negated: Bool) -> SQL {
    negated ? "\(expression) IS NOT NULL OR NULL" : "\(expression) IS NULL AND NULL"
  }

  private var left: SQL { kind == .caseInsensitiveText ? "lower(\(expression))" : expression }

  private var isOrdered: Bool { kind != .identifier && kind != .boolean }

  private var matchable: SQL? {
    switch kind {
    case .text, .caseInsensitiveText: expression
    case .identifier: "\(expression)::text"
    case .number, .boolean, .time: nil
    }
  }
}
