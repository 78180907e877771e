import Models
import Postgres

/// A field that a collection can be asked about, and how it stands in SQL.
public struct QueryField: Sendable {
  /// How values of the field are written and compared.
  public enum Kind: Sendable {
    /// Compared as it is.
    case text
    /// Compared by `lower(…)` of both sides, so that an index on `lower(column)` serves; `LIKE` is `ILIKE`.
    case caseInsensitiveText
    /// A uuid column. A literal that is no UUID equals none of its values.
    case identifier
    /// An integer or numeric column.
    case number
    /// Equal or not equal to true and false.
    case boolean
    /// A timestamptz column; literals are RFC 3339 date-times, or dates, which mean midnight UTC.
    case time
  }

  /// The name that clients use, in any case: an ASCII letter or `_`, then these and digits; no keyword.
  public let name: String
  /// What its values are.
  public let kind: Kind
  /// Binds tighter than a cast: a column, a call, or something in parentheses.
  public let expression: SQL

  /// A field by the name, kind and SQL that its properties describe.
  public init(_ name: String, _ kind: Kind, _ expression: SQL) {
    self.name = name
    self.kind = kind
    self.expression = expression
  }
}

/// The whitelist of a collection: the fields that a query may name, and so the only columns it can reach.
///
/// A query is a condition as in SQL's `WHERE`, of which only the fields and the operators become SQL text; every
/// literal is a bound parameter. It has PostgreSQL's three-valued logic: a comparison with a field that has no value is
/// neither true nor false, also below `NOT`, and selects nothing; only `IS NULL` finds such a field.
public struct QuerySchema: Sendable {
  private let fields: [String: QueryField]
  private let names: String

  /// A collection of these fields; errors name them in this order.
  /// - Parameter fields: No two with the same name, case apart.
  public init(_ fields: [QueryField]) {
    self.fields = Dictionary(uniqueKeysWithValues: fields.map { ($0.name.lowercased(), $0) })
    names = fields.map(\.name).joined(separator: ", ")
  }

  /// The condition of a query, in parentheses; a blank one is true for everything.
  /// - Throws: `ServiceError` `bad_query` that names the character, counted in Unicode scalars from 1, as PostgreSQL
  ///   counts them.
  public func condition(_ text: String) throws -> SQL {
    guard let condition = try Parser.parse(text) else { return "true" }
    return try sql(condition)
  }

  /// - Throws: `ServiceError` `bad_query` if there is none.
  func field(of term: Term) throws -> QueryField {
    if let field = fields[term.field.lowercased()] { return field }
    let name = Text.printable(term.field, limit: QueryLimit.echo)
    throw ServiceError.badQuery(at: term.position, "there is no field '\(name)'; the fields are \(names)")
  }
}
