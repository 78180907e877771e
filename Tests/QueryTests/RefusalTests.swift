import Models
import Query
import Testing

/// Every class of error, with the place it names.
@Suite struct RefusalTests {
  private static let comparison = "expected =, !=, <, <=, >, >=, LIKE, ILIKE, IN or IS NULL"
  private static let value = "expected a string in quotes, a number, true or false"
  private static let field = "expected the field that a comparison begins with, NOT or '('"
  private static let continuation = "expected AND, OR or the end"
  private static let number = "a number is written as 12, -12 or 12.5, in at most 40 characters."

  @Test(arguments: [
    ("name", 5, "\(comparison), but found the end."),
    ("name 'a'", 6, "\(comparison), but found 'a'."),
    ("lower(name) = 'a'", 6, "\(comparison), but found '('."),
    ("name::text = 'a'", 5, "\(comparison), but found ':'."),
    ("v.name = 'a'", 2, "\(comparison), but found '.'."),
    ("name ~ 'a'", 6, "\(comparison), but found '~'."),
    ("name ! = 'a'", 6, "\(comparison), but found '!'."),
    ("name BETWEEN 'a' AND 'b'", 6, "\(comparison), but found 'BETWEEN'."),
    ("name NOT 'a'", 10, "expected LIKE, ILIKE or IN, but found 'a'."),
    ("name NOT = 'a'", 10, "expected LIKE, ILIKE or IN, but found '='."),
    ("name IS 'a'", 9, "expected NULL or NOT NULL, but found 'a'."),
    ("name IS NOT true", 13, "expected NULL, but found 'true'."),
    ("name =", 7, "\(value), but found the end."),
    ("name = = 'a'", 8, "\(value), but found '='."),
    ("state = running", 9, "\(value), but found 'running'."),
    ("name = mem", 8, "\(value), but found 'mem'."),
    ("name = (SELECT 1)", 8, "\(value), but found '('."),
    ("name = $1", 8, "\(value), but found '$'."),
    ("name = ?", 8, "\(value), but found '?'."),
    ("name = - 5", 8, "\(value), but found '-'."),
    ("name = +5", 8, "\(value), but found '+'."),
    ("name = .5", 8, "\(value), but found '.'."),
    ("name = E'a'", 8, "\(value), but found 'E'."),
    ("name = $$a$$", 8, "\(value), but found '$'."),
    ("name = 'a' || 'b'", 12, "\(continuation), but found '|'."),
    ("name = 'a' 'b'", 12, "\(continuation), but found 'b'."),
    ("name = 'a';", 11, "\(continuation), but found ';'."),
    ("name = 'a' -- b", 12, "\(continuation), but found '-'."),
    ("name = 'a' /* b */", 12, "\(continuation), but found '/'."),
    ("name = 'a'::text", 11, "\(continuation), but found ':'."),
    ("name = 'a' COLLATE x", 12, "\(continuation), but found 'COLLATE'."),
    ("name = 'a' )", 12, "\(continuation), but found ')'."),
    ("name LIKE 'a' ESCAPE 'b'", 15, "\(continuation), but found 'ESCAPE'."),
    ("(name = 'a'", 12, "expected AND, OR or ')', but found the end."),
    ("(name = 'a', 'b')", 12, "expected AND, OR or ')', but found ','."),
    ("()", 2, "\(field), but found ')'."),
    ("NOT", 4, "\(field), but found the end."),
    ("AND", 1, "\(field), but found 'AND'."),
    ("name = 'a' AND", 15, "\(field), but found the end."),
    ("name = 'a' OR OR", 15, "\(field), but found 'OR'."),
    ("'a' = name", 1, "\(field), but found 'a'."),
    ("1 = 1", 1, "\(field), but found '1'."),
    ("true", 1, "\(field), but found 'true'."),
    ("*", 1, "\(field), but found '*'."),
    ("é = 1", 1, "\(field), but found 'é'."),
    ("\u{A0}name = 'a'", 1, "\(field), but found '\u{A0}'."),
    ("name IN 'a'", 9, "expected '(', but found 'a'."),
    ("name IN ()", 10, "\(value), but found ')'."),
    ("name IN ('a',)", 14, "\(value), but found ')'."),
    ("name IN ('a' 'b')", 14, "expected ',' or ')', but found 'b'."),
    ("name IN (SELECT 1)", 10, "\(value), but found 'SELECT'."),
    ("name IN (('a'))", 10, "\(value), but found '('."),
    ("name IN ('a'", 13, "expected ',' or ')', but found the end."),
  ])
  func whatDoesNotParse(query: String, position: Int, complaint: String) throws {
    #expect(try refusal(of: query) == "at character \(position): \(complaint)")
  }

  @Test(arguments: [
    ("name = NULL", 8), ("name != null", 9), ("name IN ('a', NULL)", 15), ("name LIKE NULL", 11),
  ])
  func nullIsNoValue(query: String, position: Int) throws {
    #expect(
      try refusal(of: query) == "at character \(position): NULL equals nothing; ask by IS NULL or IS NOT NULL.")
  }

  @Test(arguments: [("mem = 5.", 7), ("mem = 1.2.3", 7), ("mem = 1e5", 7), ("mem = 0x1F", 7), ("mem = -5and", 7)])
  func whatOnlyBeginsLikeANumber(query: String, position: Int) throws {
    #expect(try refusal(of: query) == "at character \(position): \(Self.number)")
  }

  @Test(arguments: [
    ("name = 'a", 8), ("name = \"a'", 8), ("name = 'a''", 8), ("'", 1), ("name = 'a' AND name = '", 23),
  ])
  func stringsWithoutAnEnd(query: String, position: Int) throws {
    #expect(try refusal(of: query) == "at character \(position): the string that begins here has no end.")
  }

  @Test(arguments: ["\0", "\u{1}", "\u{8}", "\u{B}", "\u{C}", "\u{1B}", "\u{7F}", "\u{85}", "\u{9B}"])
  func controlCharacters(character: String) throws {
    let complaint = "control characters are not allowed."
    #expect(try refusal(of: "name = 'é😀\(character)'") == "at character 11: \(complaint)")
    #expect(try refusal(of: character) == "at character 1: \(complaint)")
  }

  @Test func unknownFieldsAreToldTheKnownOnes() throws {
    let known = "the fields are name, email, id, mem, admin, createdAt."
    #expect(try refusal(of: "name = 'a' AND pass = 'b'") == "at character 16: there is no field 'pass'; \(known)")
    let long = String(repeating: "x", count: 500)
    #expect(
      try refusal(of: "\(long) = 1") == "at character 1: there is no field '\(long.prefix(32))'; \(known)")
  }

  @Test(arguments: [
    ("mem = 'abc'", 7, "mem is compared with a number, not with 'abc'."),
    ("mem = ' 5'", 7, "mem is compared with a number, not with ' 5'."),
    ("mem = '٣'", 7, "mem is compared with a number, not with '٣'."),
    ("mem = 'NaN'", 7, "mem is compared with a number, not with 'NaN'."),
    ("mem IN (1, 'Infinity')", 12, "mem is compared with a number, not with 'Infinity'."),
    ("mem > true", 7, "mem is compared with a number, not with 'true'."),
    ("admin = 1", 9, "admin is compared with true or false, not with '1'."),
    ("admin != 'yes'", 10, "admin is compared with true or false, not with 'yes'."),
    ("admin IN (true, 'no')", 17, "admin is compared with true or false, not with 'no'."),
    ("admin >= true", 1, "admin has no order; ask for it by =, !=, IN or IS NULL."),
    ("NOT id < '\(firstUUID.written)'", 5, "id has no order; ask for it by =, !=, IN or IS NULL."),
    ("mem LIKE '5%'", 1, "mem is no text, and LIKE and ILIKE match texts only."),
    ("admin NOT LIKE 't%'", 1, "admin is no text, and LIKE and ILIKE match texts only."),
    ("createdAt ILIKE '2026%'", 1, "createdAt is no text, and LIKE and ILIKE match texts only."),
  ])
  func whatDoesNotFitTheField(query: String, position: Int, complaint: String) throws {
    #expect(try refusal(of: query) == "at character \(position): \(complaint)")
  }

  @Test(arguments: [#"\"#, #"a\"#, #"\\\"#, #"%\\\\\"#])
  func patternsThatEndInALoneBackslash(pattern: String) throws {
    let complaint = "the pattern ends in a lone backslash; write it twice."
    #expect(try refusal(of: "name LIKE '\(pattern)'") == "at character 11: \(complaint)")
    #expect(try refusal(of: "id NOT ILIKE '\(pattern)'") == "at character 14: \(complaint)")
  }

  @Test func theEchoIsShortAndPrintable() throws {
    let message = try refusal(of: "mem = '\u{202E}\n\(String(repeating: "x", count: 1000))'")
    #expect(
      message == "at character 7: mem is compared with a number, not with '\u{FFFD}\u{FFFD}"
        + "\(String(repeating: "x", count: 30))'.")
  }

  @Test func thePlaceIsCountedInUnicodeScalars() throws {
    #expect(try refusal(of: "name = 'e\u{301}👩‍👩‍👧' ;").hasPrefix("at character 18: "))
  }
}
