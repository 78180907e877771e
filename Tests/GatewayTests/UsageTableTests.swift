import Testing

@testable import Gateway

@Suite struct UsageTableTests {
  @Test(
    arguments: [
      ("ana@example.org", "ana@example.org"), ("a,b", "\"a,b\""), ("a\"b", "\"a\"\"b\""), ("a\nb", "\"a\nb\""),
      ("=1+1", "'=1+1"), ("+49", "'+49"), ("-1,2", "\"'-1,2\""), ("@x", "'@x"), ("", ""),
    ])
  func fieldsAreQuotedAndNoneIsAFormula(text: String, field: String) { #expect(UsageTable.field(text) == field) }
}
