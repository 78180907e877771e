import Postgres

/// What a query says, before its fields are looked up.
indirect enum Condition {
  case all([Condition])
  case any([Condition])
  case not(Condition)
  case term(Term)
}

/// What is asked of one field.
struct Term {
  enum Test {
    case compare(Comparison, Literal)
    case like(Literal, ignoringCase: Bool, negated: Bool)
    case isIn([Literal], negated: Bool)
    case isNull(negated: Bool)
  }

  let field: String
  let position: Int
  let test: Test
}

/// A value in a query: the content of a string, or a number, true or false as it is spelled. The field's kind says what
/// it means.
struct Literal {
  let text: String
  let position: Int
}

enum Comparison: String {
  case equal = "="
  case notEqual = "<>"
  case less = "<"
  case lessOrEqual = "<="
  case greater = ">"
  case greaterOrEqual = ">="

  var isOrdering: Bool { self != .equal && self != .notEqual }

  var sql: SQL {
    switch self {
    case .equal: "="
    case .notEqual: "<>"
    case .less: "<"
    case .lessOrEqual: "<="
    case .greater: ">"
    case .greaterOrEqual: ">="
    }
  }
}
