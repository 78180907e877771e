import Foundation

extension Date {
  /// A time as RFC 3339 writes it (5.6), in either case.
  ///
  /// The reader of Foundation also takes hours beyond 23, days that no month has, and anything behind the time.
  /// - Returns: Nil for all else.
  public init?(rfc3339 text: String) {
    let text = text.uppercased()
    guard let match = text.wholeMatch(of: Self.grammar), let year = Int(match.1), let month = Int(match.2),
      let day = Int(match.3), year > 0, day <= Self.days(in: month, of: year)
    else { return nil }
    let style = Date.ISO8601FormatStyle(includingFractionalSeconds: match.4 != nil)
    guard let date = try? Date(text, strategy: style) else { return nil }
    self = date
  }

  // Never changed, and matching changes nothing in it.
  nonisolated(unsafe) private static let grammar =
    #/
      ([0-9]{4})-(0[1-9]|1[0-2])-(0[1-9]|[12][0-9]|3[01])
      T(?:[01][0-9]|2[0-3]):[0-5][0-9]:(?:[0-5][0-9]|60)(\.[0-9]+)?
      (?:Z|[+-](?:[01][0-9]|2[0-3]):[0-5][0-9])
    /#

  private static func days(in month: Int, of year: Int) -> Int {
    switch month {
    case 2: year % 4 == 0 && (year % 100 != 0 || year % 400 == 0) ? 29 : 28
    case 4, 6, 9, 11: 30
    default: 31
    }
  }
}
