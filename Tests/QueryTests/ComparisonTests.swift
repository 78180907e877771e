import Query
import Testing

/// Every operator on every kind of field, against the SQL it becomes.
@Suite struct ComparisonTests {
  private func check(
    _ query: String, _ text: String, _ parameters: [String?], sourceLocation: SourceLocation = #_sourceLocation
  ) throws {
    let sql = try schema.condition(query)
    #expect(sql.text == text, sourceLocation: sourceLocation)
    #expect(sql.parameters == parameters, sourceLocation: sourceLocation)
  }

  @Test(
    arguments: zip(
      ["=", "!=", "<>", "<", "<=", ">", ">="],
      ["=", "<>", "<>", "<", "<=", ">", ">="]))
  func comparisonsOfTexts(written: String, compiled: String) throws {
    try check("name \(written) 'a'", "(v.name \(compiled) $1::text)", ["a"])
    try check("name\(written)'a'", "(v.name \(compiled) $1::text)", ["a"])
    try check("email \(written) 'A'", "(lower(u.email) \(compiled) lower($1::text))", ["A"])
  }

  @Test(arguments: [
    ("name = 512", "512"), ("name = -0.50", "-0.50"), ("name = TRUE", "TRUE"), ("name = 'it''s'", "it's"),
    ("name = \"say \"\"it's\"\"\"", "say \"it's\""), ("name = ''", ""), ("name = '\"'", "\""),
    ("name = 'é\u{301}😀\n\t'", "é\u{301}😀\n\t"), ("name = '\u{301}'", "\u{301}"),
    ("name = '; DROP TABLE v; --'", "; DROP TABLE v; --"), ("name = '\\'", "\\"), ("name = 'null'", "null"),
  ])
  func everyLiteralIsAText(query: String, bound: String) throws {
    try check(query, "(v.name = $1::text)", [bound])
  }

  @Test(arguments: [
    ("name LIKE 'a%'", "(v.name LIKE $1::text)"), ("name not like 'a%'", "(v.name NOT LIKE $1::text)"),
    ("name ILIKE 'a%'", "(v.name ILIKE $1::text)"), ("name NOT ILIKE 'a%'", "(v.name NOT ILIKE $1::text)"),
    ("email LIKE 'a%'", "(u.email ILIKE $1::text)"), ("email NOT LIKE 'a%'", "(u.email NOT ILIKE $1::text)"),
    ("email ILIKE 'a%'", "(u.email ILIKE $1::text)"), ("id LIKE 'a%'", "(v.id::text LIKE $1::text)"),
    ("id NOT ILIKE 'a%'", "(v.id::text NOT ILIKE $1::text)"),
  ])
  func patterns(query: String, text: String) throws {
    try check(query, text, ["a%"])
  }

  @Test(arguments: [#"50\%"#, #"a\_b"#, #"\\"#, #"\\\\"#, #"\%\\"#, #"\a"#])
  func patternsKeepTheirBackslashes(pattern: String) throws {
    try check("name LIKE '\(pattern)'", "(v.name LIKE $1::text)", [pattern])
  }

  @Test func listsAreOneParameter() throws {
    try check("name IN ('a')", "(v.name = ANY ($1::text[]))", [#"{"a"}"#])
    try check("name IN ('a', 2, \"c,}\")", "(v.name = ANY ($1::text[]))", [#"{"a","2","c,}"}"#])
    try check("name not in ('a','b')", "(v.name <> ALL ($1::text[]))", [#"{"a","b"}"#])
    try check("email IN ('A', 'b\"')", "(lower(u.email) = ANY (lower($1::text)::text[]))", [#"{"A","b\""}"#])
    try check("email NOT IN ('A')", "(lower(u.email) <> ALL (lower($1::text)::text[]))", [#"{"A"}"#])
    try check("admin IN (true, 'FALSE')", "(u.admin = ANY ($1::boolean[]))", [#"{"t","f"}"#])
    try check(
      "createdAt IN ('2026-01-31')", "(v.created_at = ANY ($1::timestamptz[]))", [#"{"2026-01-31T00:00:00Z"}"#])
  }

  /// A quote and the combining mark behind it are one `Character`.
  @Test func listsEscapeQuotesThatCarryAMark() throws {
    try check(
      "name IN ('\"\u{301}', '\\\u{301}')", "(v.name = ANY ($1::text[]))", ["{\"\\\"\u{301}\",\"\\\\\u{301}\"}"])
  }

  @Test func identifiersAreBoundAsUUIDs() throws {
    try check("id = '\(firstUUID.written)'", "(v.id = $1::uuid)", [firstUUID.bound])
    try check("id <> \"\(secondUUID.written)\"", "(v.id <> $1::uuid)", [secondUUID.bound])
    try check(
      "id IN ('\(firstUUID.written)', '\(secondUUID.written)')", "(v.id = ANY ($1::uuid[]))",
      [#"{"\#(firstUUID.bound)","\#(secondUUID.bound)"}"#])
  }

  @Test(arguments: ["'web'", "''", "5", "true", "'0190c0de00007000800000000000000a'", "'{\(firstUUID.written)}'"])
  func whatIsNoUUIDEqualsNoIdentifier(literal: String) throws {
    try check("id = \(literal)", "(v.id IS NULL AND NULL)", [])
    try check("id != \(literal)", "(v.id IS NOT NULL OR NULL)", [])
    try check("id IN (\(literal))", "(v.id IS NULL AND NULL)", [])
    try check("id NOT IN (\(literal))", "(v.id IS NOT NULL OR NULL)", [])
  }

  @Test func listsLeaveOutWhatIsNoUUID() throws {
    try check("id IN ('web', '\(firstUUID.written)')", "(v.id = ANY ($1::uuid[]))", [#"{"\#(firstUUID.bound)"}"#])
    try check("id NOT IN ('\(firstUUID.written)', 'x')", "(v.id <> ALL ($1::uuid[]))", [#"{"\#(firstUUID.bound)"}"#])
  }

  @Test func anIdOrAName() throws {
    try check(
      "id = 'web' OR name = 'web'", "((v.id IS NULL AND NULL) OR (v.name = $1::text))", ["web"])
  }

  @Test(arguments: [
    ("mem = 512", "(v.mem = $1::bigint)", "512"), ("mem >= '512'", "(v.mem >= $1::bigint)", "512"),
    ("mem < -007", "(v.mem < $1::bigint)", "-7"), ("mem > 1.50", "(v.mem > $1::numeric)", "1.50"),
    ("mem <= \"-0.5\"", "(v.mem <= $1::numeric)", "-0.5"), ("mem = 1.0", "(v.mem = $1::numeric)", "1.0"),
    ("mem != 9223372036854775807", "(v.mem <> $1::bigint)", "9223372036854775807"),
    ("mem = 9223372036854775808", "(v.mem = $1::numeric)", "9223372036854775808"),
    ("mem = -9223372036854775808", "(v.mem = $1::bigint)", "-9223372036854775808"),
    ("mem IN (1, '2')", "(v.mem = ANY ($1::bigint[]))", #"{"1","2"}"#),
    ("mem NOT IN (1, 2.5)", "(v.mem <> ALL ($1::numeric[]))", #"{"1","2.5"}"#),
  ])
  func numbersAreBigintIfTheyFit(query: String, text: String, bound: String) throws {
    try check(query, text, [bound])
  }

  @Test(arguments: [("true", "t"), ("FALSE", "f"), ("'true'", "t"), ("\"False\"", "f")])
  func booleans(literal: String, bound: String) throws {
    try check("admin = \(literal)", "(u.admin = $1::boolean)", [bound])
    try check("admin <> \(literal)", "(u.admin <> $1::boolean)", [bound])
  }

  @Test func times() throws {
    let text = "2026-01-31T12:34:56.789+01:00"
    try check("createdAt >= '\(text)'", "(v.created_at >= $1::timestamptz)", [text])
    try check("createdAt < '2026-01-31'", "(v.created_at < $1::timestamptz)", ["2026-01-31T00:00:00Z"])
  }

  @Test(arguments: [
    ("name", "v.name"), ("email", "u.email"), ("id", "v.id"), ("mem", "v.mem"), ("admin", "u.admin"),
    ("createdAt", "v.created_at"),
  ])
  func everyKindCanBeNull(field: String, expression: String) throws {
    try check("\(field) IS NULL", "(\(expression) IS NULL)", [])
    try check("\(field) is not null", "(\(expression) IS NOT NULL)", [])
  }

  @Test(arguments: ["NAME = 'a'", "Name='a'", " \t\r\n name\n=\r\n'a' \t"])
  func caseAndSpaceDoNotMatter(query: String) throws {
    try check(query, "(v.name = $1::text)", ["a"])
  }
}
