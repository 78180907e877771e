import Foundation
import Testing

@testable import CommandLineTool

@Suite struct ExpiryTests {
  private let now = Date(timeIntervalSince1970: 1_000_000_000)

  @Test(arguments: [
    ("7d", 604_800), ("12h", 43_200), ("30m", 1800), ("1m", 60), ("007d", 604_800), ("36500d", 3_153_600_000),
  ])
  func durationsBeginNow(text: String, seconds: Int) throws {
    #expect(try Expiry.parse(text, now: now).timeIntervalSince(now) == Double(seconds))
  }

  @Test(
    arguments: [
      ("2001-09-09", 999_993_600), ("2001-09-09T01:46:40Z", 1_000_000_000), ("2001-09-09t01:46:40z", 1_000_000_000),
      ("2001-09-09 01:46:40Z", 1_000_000_000), ("2001-09-09T01:46:40.25Z", 1_000_000_000),
      ("2001-09-09T03:46:40+02:00", 1_000_000_000), ("2001-09-08T20:16:40-05:30", 1_000_000_000),
      ("2024-02-29", 1_709_164_800),
    ])
  func momentsAreTheirOwn(text: String, seconds: Int) throws {
    #expect(try Expiry.parse(text, now: now).timeIntervalSince1970 == Double(seconds))
  }

  @Test(
    arguments: [
      "", "d", "7", "7 d", "-7d", "+7d", "0d", "7w", "7D", "1.5h", "٧d", "36501d", "99999999999999999999d",
      "9223372036854775807d", "tomorrow", "2001-02-29", "2001-13-01", "2001-1-1", "20010909", "2001-09-09T01:46:40",
      "2001-09-09T01:46Z", "2001-09-09T24:00:00Z", "2001-09-09T01:60:00Z", "2001-09-09T01:46:40+24:00",
      "2001-09-09T01:46:40Zjunk", "2001-09-09\n", "x2001-09-09",
    ])
  func whatIsNoTimeIsUsage(text: String) {
    let failure = #expect(throws: CommandFailure.self) { try Expiry.parse(text, now: now) }
    #expect(failure?.status == .usage)
  }
}
