import Query
import Testing

/// What is a time is decided by us to the last character, so that PostgreSQL never has to refuse one.
@Suite struct TimeTests {
  @Test(arguments: [
    "2026-01-31T12:34:56Z", "2026-01-31t12:34:56z", "2026-01-31 12:34:56Z", "2026-01-31T12:34:56.7Z",
    "2026-01-31T12:34:56.789Z", "2026-01-31T12:34:56.123456789Z", "2026-01-31T12:34:56+05:30",
    "2026-01-31T12:34:56-00:00", "2026-01-31T00:00:00+15:59", "2024-02-29T23:59:59Z", "2000-02-29T00:00:00Z",
    "0001-01-01T00:00:00+14:00", "9999-12-31T23:59:59-12:00",
  ])
  func dateTimesAreBoundAsTheyAre(text: String) throws {
    #expect(try schema.condition("createdAt = '\(text)'").parameters == [text])
  }

  @Test(arguments: ["2026-01-31", "0001-01-01", "9999-12-31", "2024-02-29"])
  func datesMeanMidnightUTC(text: String) throws {
    #expect(try schema.condition("createdAt = '\(text)'").parameters == [text + "T00:00:00Z"])
  }

  @Test(arguments: [
    "", " 2026-01-31", "2026-01-31 ", "2026-1-31", "20260131", "26-01-31", "12026-01-31", "-2026-01-31", "2026-01",
    "0000-01-01", "2026-00-10", "2026-13-01", "2026-01-00", "2026-01-32", "2026-04-31", "2026-02-29", "1900-02-29",
    "2026-01-31T", "2026-01-31T12", "2026-01-31T12:34Z", "2026-01-31T12:34:56", "2026-01-31T24:00:00Z",
    "2026-01-31T12:60:00Z", "2026-01-31T12:00:60Z", "2026-01-31T12:34:56.Z", "2026-01-31T12:34:56.1234567890Z",
    "2026-01-31T12:34:56,5Z", "2026-01-31T12:34:56+01", "2026-01-31T12:34:56+0100", "2026-01-31T12:34:56+16:00",
    "2026-01-31T12:34:56+01:60", "2026-01-31T12:34:56Zx", "2026-01-31T12:34:56 Z", "2026-01-31junk",
    "２０２６-01-31", "2026-01-3１", "2026-01-31T12:34:56Z\u{301}", "now", "today", "infinity", "epoch", "2026-01-31 BC",
  ])
  func anythingElseIsRefused(text: String) throws {
    let message = try refusal(of: "createdAt = '\(text)'")
    #expect(
      message == "at character 13: createdAt is compared with a time such as '2026-01-31T12:00:00Z', or a date, "
        + "not with '\(text)'.")
  }
}
