import Foundation

/// A statement and its parameters. An interpolated value becomes a bound parameter, an interpolated `SQL` becomes part
/// of the statement with its own parameters; only a literal becomes text.
public struct SQL: ExpressibleByStringInterpolation, Sendable {
  /// The pieces between which the parameters stand.
  fileprivate(set) var pieces: [String]
  /// Text forms, nil for NULL.
  public fileprivate(set) var parameters: [String?]

  public init(stringLiteral value: String) {
    pieces = [value]
    parameters = []
  }

  public init(stringInterpolation: StringInterpolation) { self = stringInterpolation.sql }

  /// The statement with `$1`, `$2`, … where the parameters go.
  public var text: String {
    var text = pieces[0]
    for index in 1..<max(pieces.count, 1) { text += "$\(index)" + pieces[index] }
    return text
  }

  /// Text that is not data, such as the schema of a migration. Never for what came from outside.
  public static func trusted(_ text: String) -> SQL {
    var sql: SQL = ""
    sql.pieces = [text]
    return sql
  }

  mutating func append(_ other: SQL) {
    pieces[pieces.count - 1] += other.pieces[0]
    pieces += other.pieces.dropFirst()
    parameters += other.parameters
  }

  public struct StringInterpolation: StringInterpolationProtocol {
    fileprivate var sql: SQL = .trusted("")

    public init(literalCapacity: Int, interpolationCount: Int) {}

    public mutating func appendLiteral(_ literal: String) { sql.pieces[sql.pieces.count - 1] += literal }
    public mutating func appendInterpolation(_ fragment: SQL) { sql.append(fragment) }
    public mutating func appendInterpolation(_ value: (some PostgresEncodable)?) {
      sql.parameters.append(value?.postgresText)
      sql.pieces.append("")
    }
  }
}

/// What can be a parameter: a value with a text form that PostgreSQL reads in the parameter's type.
public protocol PostgresEncodable: Sendable {
  var postgresText: String { get }
}

extension String: PostgresEncodable { public var postgresText: String { self } }
extension Int: PostgresEncodable { public var postgresText: String { String(self) } }
extension Int64: PostgresEncodable { public var postgresText: String { String(self) } }
extension Double: PostgresEncodable { public var postgresText: String { String(self) } }
extension Bool: PostgresEncodable { public var postgresText: String { self ? "t" : "f" } }
extension UUID: PostgresEncodable { public var postgresText: String { uuidString } }
extension Data: PostgresEncodable {
  public var postgresText: String { "\\x" + map { ($0 < 16 ? "0" : "") + String($0, radix: 16) }.joined() }
}
extension Date: PostgresEncodable {
  /// To the millisecond, as the style cuts off what a floating-point number is short of it.
  public var postgresText: String {
    Date(timeIntervalSince1970: ((timeIntervalSince1970 * 1000).rounded() + 0.1) / 1000)
      .formatted(Date.ISO8601FormatStyle(includingFractionalSeconds: true))
  }
}
extension Array: PostgresEncodable where Element: PostgresEncodable {
  /// PostgreSQL manual, 8.15.2: every element quoted, quotes and backslashes escaped. By scalars: a quote with a
  /// combining mark behind it is another `Character`.
  public var postgresText: String {
    let elements = map { element in
      let escaped = element.postgresText.unicodeScalars.flatMap { $0 == "\"" || $0 == "\\" ? ["\\", $0] : [$0] }
      return "\"" + String(String.UnicodeScalarView(escaped)) + "\""
    }
    return "{" + elements.joined(separator: ",") + "}"
  }
}
