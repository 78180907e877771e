import Postgres

/// Looks at compiled SQL from outside: nothing may stand in it but the schema's expressions, parameters and a fixed
/// set of tokens.
enum SQLShape {
  private static let allowed: Set<String> = [
    "v.name", "u.email", "v.id", "v.mem", "u.admin", "v.created_at",
    "(", ")", "=", "<>", "<", "<=", ">", ">=", "AND", "OR", "NOT", "LIKE", "ILIKE", "IS", "NULL", "ANY", "ALL",
    "lower", "true", "::text", "::uuid", "::bigint", "::numeric", "::boolean", "::timestamptz",
    "::text[]", "::uuid[]", "::bigint[]", "::numeric[]", "::boolean[]", "::timestamptz[]",
  ]

  /// What is wrong; nil if nothing is.
  static func flaw(in sql: SQL) -> String? {
    var parameters = 0
    var depth = 0
    for token in tokens(of: sql.text) {
      if token == "$\(parameters + 1)" {
        parameters += 1
      } else if !allowed.contains(token) {
        return "the token '\(token)'"
      }
      depth += token == "(" ? 1 : token == ")" ? -1 : 0
      if depth < 0 { return "a parenthesis too many" }
    }
    if depth != 0 { return "a parenthesis too few" }
    return parameters == sql.parameters.count ? nil : "\(parameters) of \(sql.parameters.count) parameters"
  }

  private static func tokens(of text: String) -> [String] {
    var spaced: [UInt8] = []
    for byte in text.utf8 {
      switch byte {
      case UInt8(ascii: "("), UInt8(ascii: ")"): spaced += [space, byte, space]
      case UInt8(ascii: ":") where spaced.last != byte: spaced += [space, byte]
      default: spaced.append(byte)
      }
    }
    return spaced.split(separator: space).map { String(decoding: $0, as: UTF8.self) }
  }

  private static let space = UInt8(ascii: " ")
}
