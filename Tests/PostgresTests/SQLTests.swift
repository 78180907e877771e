import Foundation
import Postgres
import Testing

@Suite struct SQLTests {
  @Test func valuesBecomeParametersAndFragmentsKeepTheirs() {
    let condition: SQL = "(a = \(1) OR b = \("x'; DROP TABLE t"))"
    let statement: SQL = "SELECT c FROM t WHERE \(condition) AND d = \(true)"
    #expect(statement.text == "SELECT c FROM t WHERE (a = $1 OR b = $2) AND d = $3")
    #expect(statement.parameters == ["1", "x'; DROP TABLE t", "t"])
  }

  @Test func nilIsNull() {
    let nothing: String? = nil
    #expect(("SELECT \(nothing)" as SQL).parameters == [nil])
  }

  @Test func arraysEscapeTheirElements() {
    #expect(["a\"b", "c\\d", "e,f"].postgresText == #"{"a\"b","c\\d","e,f"}"#)
  }
}
