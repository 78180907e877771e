import Foundation

/// A moment as people write it.
enum Expiry {
  /// As far ahead as a duration may reach, so that the year keeps its four digits.
  private static let farthest = 36_500 * 86_400

  /// Reads a duration from now such as `7d`, `12h` or `30m`; a date, whose beginning in UTC is meant; or a time in
  /// RFC 3339.
  /// - Throws: `CommandFailure` `usage`.
  static func parse(_ text: String, now: Date) throws -> Date {
    guard let moment = duration(text).map({ now.addingTimeInterval(Double($0)) }) ?? moment(text) else {
      throw CommandFailure(
        .usage, "\"\(text)\" is no time. Write it as 7d, 12h or 30m from now, 2030-12-31, or 2030-12-31T18:00:00Z.")
    }
    return moment
  }

  private static func duration(_ text: String) -> Int? {
    let units: [Character: Int] = ["d": 86_400, "h": 3600, "m": 60]
    guard let unit = text.last.flatMap({ units[$0] }), let count = digits(text.dropLast()) else { return nil }
    return (1...farthest / unit).contains(count) ? count * unit : nil
  }

  private static func digits(_ text: Substring) -> Int? {
    text.utf8.allSatisfy { (0x30...0x39).contains($0) } ? Int(text) : nil
  }

  /// Foundation's own readers take a 30th of February, and whatever stands behind the time.
  private static func moment(_ text: String) -> Date? {
    let format =
      #/
      ([0-9]{4})-([0-9]{2})-([0-9]{2})
      (?:[Tt\x20]([0-9]{2}):([0-9]{2}):([0-9]{2})(?:\.[0-9]+)?([Zz]|[+-][0-9]{2}:[0-9]{2}))?
      /#
    guard let match = text.wholeMatch(of: format)?.output else { return nil }
    var parts = DateComponents()
    parts.calendar = Calendar(identifier: .gregorian)
    parts.timeZone = zone(match.7 ?? "Z")
    (parts.year, parts.month, parts.day) = (Int(match.1), Int(match.2), Int(match.3))
    (parts.hour, parts.minute, parts.second) = (number(match.4), number(match.5), number(match.6))
    return parts.timeZone != nil && parts.isValidDate ? parts.date : nil
  }

  private static func number(_ text: Substring?) -> Int { text.flatMap { Int($0) } ?? 0 }

  /// Of `Z` or `±hh:mm`.
  private static func zone(_ text: Substring) -> TimeZone? {
    guard text.uppercased() != "Z" else { return .gmt }
    let (hours, minutes) = (number(text.dropFirst().prefix(2)), number(text.suffix(2)))
    guard hours < 24, minutes < 60 else { return nil }
    return TimeZone(secondsFromGMT: (text.hasPrefix("-") ? -60 : 60) * (hours * 60 + minutes))
  }
}
