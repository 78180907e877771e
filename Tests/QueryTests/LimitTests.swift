import Models
import Query
import Testing

@Suite struct LimitTests {
  private func query(bytes: Int, of character: Character = "x") -> String {
    let content = String(repeating: character, count: (bytes - "name=''".count) / character.utf8.count)
    return "name='\(content)'"
  }

  @Test func twoKibibytesAreEnough() throws {
    #expect(try schema.condition(query(bytes: 2048)).parameters.count == 1)
    #expect(try refusal(of: query(bytes: 2049)) == "at character 2049: a query has at most 2048 bytes.")
    #expect(try refusal(of: String(repeating: " ", count: 2049)).hasPrefix("at character 2049: "))
  }

  @Test func theLimitIsOfBytesAndThePlaceOfCharacters() throws {
    #expect(try schema.condition(query(bytes: 2047, of: "é")).parameters.count == 1)
    // 6 + 1020 characters fit, the quote behind them and one byte more do not.
    #expect(try refusal(of: query(bytes: 2049, of: "é")) == "at character 1028: a query has at most 2048 bytes.")
    #expect(try refusal(of: query(bytes: 1 << 20)) == "at character 2049: a query has at most 2048 bytes.")
  }

  @Test func thirtyTwoTermsAreEnough() throws {
    func terms(_ count: Int) -> String { Array(repeating: "mem=1", count: count).joined(separator: " OR ") }
    #expect(try schema.condition(terms(32)).parameters.count == 32)
    #expect(try refusal(of: terms(33)) == "at character 289: a query has at most 32 comparisons.")
    #expect(try refusal(of: "(\(terms(32))) AND name IS NULL").hasPrefix("at character 292: "))
  }

  @Test func aListIsOneTerm() throws {
    let list = (1...400).map(String.init).joined(separator: ",")
    #expect(try schema.condition("mem IN (\(list))").parameters.count == 1)
  }

  @Test func nestingIsThirtyTwoDeep() throws {
    func nested(_ depth: Int) -> String {
      String(repeating: "(", count: depth) + "mem=1" + String(repeating: ")", count: depth)
    }
    let complaint = "parentheses and NOT stand at most 32 deep in each other."
    #expect(try schema.condition(nested(32)).text == "(v.mem = $1::bigint)")
    #expect(try refusal(of: nested(33)) == "at character 33: \(complaint)")
    #expect(try refusal(of: nested(1000)) == "at character 33: \(complaint)")
    #expect(try refusal(of: nested(10_000)) == "at character 2049: a query has at most 2048 bytes.")
    #expect(try refusal(of: String(repeating: "NOT ", count: 33) + "mem=1") == "at character 129: \(complaint)")
    #expect(try refusal(of: String(repeating: "NOT(", count: 500)) == "at character 65: \(complaint)")
  }

  @Test func nestingCountsOnlyWhatIsOpen() throws {
    let flat = Array(repeating: "(NOT mem=1)", count: 32).joined(separator: "AND")
    #expect(try schema.condition(flat).parameters.count == 32)
  }

  @Test func numbersAreFortyCharactersLong() throws {
    let longest = "-" + String(repeating: "9", count: 39)
    #expect(try schema.condition("mem = \(longest)").parameters == [longest])
    #expect(try schema.condition("mem = '\(longest)'").parameters == [longest])
    let complaint = "a number is written as 12, -12 or 12.5, in at most 40 characters."
    #expect(try refusal(of: "mem = \(longest)9") == "at character 7: \(complaint)")
    #expect(try refusal(of: "mem = '\(longest)9'").hasPrefix("at character 7: mem is compared with a number"))
  }
}
