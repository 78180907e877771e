import Models
import Postgres
import Query
import Testing

@Suite struct RandomQueryTests {
  @Test func validQueriesBecomeSQLOfKnownTokens() throws {
    var generator = QueryGenerator(seed: 1)
    for _ in 0..<20_000 {
      let query = generator.query(depth: 3)
      let sql = try schema.condition(query)
      if let flaw = SQLShape.flaw(in: sql) { Issue.record("\(flaw) of \(query.debugDescription)") }
      // One or two digits may also be the number of a parameter.
      let leaks = generator.strings.filter { $0.utf8.count > 2 && sql.text.contains($0) }
      if !leaks.isEmpty { Issue.record("\(leaks) in \(sql.text)") }
    }
  }

  @Test func randomTextIsRefused() {
    var random = SplitMix64(seed: 2)
    let outcome = tally(30_000) {
      String(decoding: random.array(1...40) { UInt8.random(in: .min ... .max, using: &$0) }, as: UTF8.self)
    }
    #expect(outcome.accepted < 100)
  }

  @Test func soupsOfTokensAreCompiledOrRefused() {
    let tokens = [
      "name", "email", "id", "mem", "admin", "createdAt", "nope", "AND", "OR", "NOT", "IN", "IS", "NULL", "LIKE",
      "ILIKE", "true", "=", "!=", "<", ">=", "(", ")", ",", "'a'", "'", "\"b\"", "\"", "5", "-1.5", "-", ".", ";", "--",
      "/*", "$1", "?", "::", "\\", "'2026-01-31'", "é", "\u{301}", "\0", "name = 'a'", "mem IN (1, 2)", "id IS NULL",
    ]
    var random = SplitMix64(seed: 3)
    let outcome = tally(30_000) { random.array(1...8) { $0.pick(tokens) }.joined(separator: random.pick(["", " "])) }
    #expect(outcome.accepted > 100 && outcome.refused > 10_000)
  }

  @Test func brokenQueriesAreCompiledOrRefused() {
    var generator = QueryGenerator(seed: 4)
    let outcome = tally(40_000) { mutated(generator.query(depth: 1), &generator.random) }
    #expect(outcome.accepted > 1000 && outcome.refused > 10_000)
  }

  /// How many of the queries were compiled to SQL of known tokens, and how many were refused as they must be.
  private func tally(_ count: Int, _ query: () -> String) -> (accepted: Int, refused: Int) {
    var accepted = 0
    for _ in 0..<count {
      let query = query()
      do {
        let sql = try schema.condition(query)
        accepted += 1
        if let flaw = SQLShape.flaw(in: sql) { Issue.record("\(flaw) of \(query.debugDescription)") }
      } catch {
        if !isRefusal(error, of: query) { Issue.record("\(error) of \(query.debugDescription)") }
      }
    }
    return (accepted, count - accepted)
  }

  /// Whether it is a short and printable `bad_query` that names a character of the query, or the one behind its end.
  private func isRefusal(_ error: any Error, of query: String) -> Bool {
    guard let error = error as? ServiceError, error.code == .badQuery, error.message.utf8.count < 400 else {
      return false
    }
    let words = error.message.split(separator: " ", maxSplits: 4)
    guard words.count == 5, words.starts(with: ["query:", "at", "character"]) else { return false }
    guard let position = Int(words[3].dropLast()) else { return false }
    return (1...query.unicodeScalars.count + 1).contains(position)
      && Text.printable(error.message, limit: .max) == error.message
  }

  /// The query with one to three of its characters removed, doubled or replaced.
  private func mutated(_ query: String, _ random: inout SplitMix64) -> String {
    var scalars = Array(query.unicodeScalars)
    for _ in 0..<Int.random(in: 1...3, using: &random) where !scalars.isEmpty {
      let index = Int.random(in: 0..<scalars.count, using: &random)
      switch Int.random(in: 0..<3, using: &random) {
      case 0: scalars.remove(at: index)
      case 1: scalars.insert(scalars[index], at: index)
      default: scalars[index] = random.pick(Array("'\"()=<>!-;,.\\$ a1N\0é".unicodeScalars))
      }
    }
    return String(String.UnicodeScalarView(scalars))
  }
}
