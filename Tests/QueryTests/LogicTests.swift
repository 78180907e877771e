import Postgres
import Query
import Testing

@Suite struct LogicTests {
  @Test(arguments: ["", " ", "\t\r\n "])
  func aBlankQueryIsTrueForEverything(query: String) throws {
    let sql = try schema.condition(query)
    #expect(sql.text == "true")
    #expect(sql.parameters == [])
  }

  @Test(arguments: [
    ("mem=1 AND mem=2 AND mem=3", "(A AND A AND A)"),
    ("mem=1 OR mem=2 OR mem=3", "(A OR A OR A)"),
    ("mem=1 OR mem=2 AND mem=3", "(A OR (A AND A))"),
    ("mem=1 AND mem=2 OR mem=3", "((A AND A) OR A)"),
    ("(mem=1 OR mem=2) AND mem=3", "((A OR A) AND A)"),
    ("NOT mem=1 AND mem=2", "((NOT A) AND A)"),
    ("NOT (mem=1 AND mem=2)", "(NOT (A AND A))"),
    ("not Not NOT mem=1", "(NOT (NOT (NOT A)))"),
    ("((mem=1))", "A"),
    ("NOT(mem=1)OR(mem=2)", "((NOT A) OR A)"),
    ("mem='1'AND mem='2'", "(A AND A)"),
  ])
  func precedenceIsThatOfSQL(query: String, shape: String) throws {
    let sql = try schema.condition(query)
    let terms = (1...sql.parameters.count).reduce(sql.text) { text, index in
      text.replacing("(v.mem = $\(index)::bigint)", with: "A")
    }
    #expect(terms == shape)
  }

  @Test func parametersStandInOrderAlsoBehindOthers() throws {
    let condition = try schema.condition("name = 'a' OR (mem > 5 AND NOT email IN ('b', 'c'))")
    let statement: SQL = "SELECT 1 FROM v WHERE v.owner = \("me") AND \(condition)"
    #expect(
      statement.text == "SELECT 1 FROM v WHERE v.owner = $1 AND ((v.name = $2::text) OR "
        + "((v.mem > $3::bigint) AND (NOT (lower(u.email) = ANY (lower($4::text)::text[])))))")
    #expect(statement.parameters == ["me", "a", "5", #"{"b","c"}"#])
  }

  @Test func aFieldsOwnParametersAreKept() throws {
    let schema = QuerySchema([QueryField("rank", .number, "rank(\("x"))")])
    let sql = try schema.condition("rank > 1 AND rank < 9")
    #expect(sql.text == "((rank($1) > $2::bigint) AND (rank($3) < $4::bigint))")
    #expect(sql.parameters == ["x", "1", "x", "9"])
  }
}
