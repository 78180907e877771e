import Foundation
import Models
import Postgres

/// Literals as parameters. Every one has a cast, by which PostgreSQL knows its type.
extension QueryField {
  /// A literal in the field's type; nil if no value of the field can equal it.
  /// - Throws: `ServiceError` `bad_query` if it is not of the field's kind.
  func operand(_ literal: Literal) throws -> SQL? {
    switch kind {
    case .text: "\(literal.text)::text"
    case .caseInsensitiveText: "lower(\(literal.text)::text)"
    case .identifier: UUIDText(literal.text).map { "\($0.uuid)::uuid" }
    case .number: try number(number(literal))
    case .boolean: "\(try boolean(literal))::boolean"
    case .time: "\(try moment(literal))::timestamptz"
    }
  }

  /// The same of a list, as an array without what no value of the field can equal; nil if nothing is left.
  /// - Throws: As `operand(_:)`.
  func operand(_ literals: [Literal]) throws -> SQL? {
    switch kind {
    case .text: "\(literals.map(\.text))::text[]"
    // The letters of an array's text form are those of its elements.
    case .caseInsensitiveText: "lower(\(literals.map(\.text))::text)::text[]"
    case .identifier: identifiers(literals)
    case .number: try numbers(literals.map(number))
    case .boolean: "\(try literals.map(boolean))::boolean[]"
    case .time: "\(try literals.map(moment))::timestamptz[]"
    }
  }

  private func identifiers(_ literals: [Literal]) -> SQL? {
    let identifiers = literals.compactMap { UUIDText($0.text)?.uuid }
    return identifiers.isEmpty ? nil : "\(identifiers)::uuid[]"
  }

  /// As bigint if it fits, so that an index on a bigint column serves.
  private func number(_ text: String) -> SQL {
    Int64(text).map { "\($0)::bigint" } ?? "\(text)::numeric"
  }

  private func numbers(_ texts: [String]) -> SQL {
    let integers = texts.compactMap { Int64($0) }
    return integers.count == texts.count ? "\(integers)::bigint[]" : "\(texts)::numeric[]"
  }

  private func number(_ literal: Literal) throws -> String {
    guard Number.isWellFormed(literal.text) else { throw mismatch(literal, "a number") }
    return literal.text
  }

  private func boolean(_ literal: Literal) throws -> Bool {
    guard let value = Bool(literal.text.lowercased()) else { throw mismatch(literal, "true or false") }
    return value
  }

  private func moment(_ literal: Literal) throws -> String {
    guard let moment = Moment(literal.text) else {
      throw mismatch(literal, "a time such as '2026-01-31T12:00:00Z', or a date")
    }
    return moment.text
  }

  private func mismatch(_ literal: Literal, _ expectation: String) -> ServiceError {
    let found = Text.printable(literal.text, limit: QueryLimit.echo)
    return .badQuery(at: literal.position, "\(name) is compared with \(expectation), not with '\(found)'")
  }
}
