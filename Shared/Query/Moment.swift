/// A moment as RFC 3339 writes it (section 5.6), or a date alone.
///
/// Checked here to the last character, as Foundation's parsers take February 31st, hour 25 and any trailing text, and
/// as what PostgreSQL refuses must not get there. The text itself is what is bound: nothing of it is lost on the way
/// through floating point.
struct Moment {
  /// A date-time that PostgreSQL reads as timestamptz under every `DateStyle` and time zone.
  let text: String

  /// Nil unless the text is such a moment of the years 1 to 9999.
  init?(_ text: String) {
    var reader = Reader(rest: text.utf8[...])
    guard reader.date() else { return nil }
    if reader.rest.isEmpty {
      self.text = text + "T00:00:00Z"
    } else if reader.time(), reader.offset(), reader.rest.isEmpty {
      self.text = text
    } else {
      return nil
    }
  }
}

/// Takes a moment apart from the left; every method answers whether what it names stood there.
private struct Reader {
  var rest: Substring.UTF8View

  mutating func date() -> Bool {
    guard let year = number(4, in: 1...9999), take("-"), let month = number(2, in: 1...12), take("-") else {
      return false
    }
    return number(2, in: 1...days(in: month, of: year)) != nil
  }

  mutating func time() -> Bool {
    take("T", "t", " ") && hoursAndMinutes(0...23) && take(":") && number(2, in: 0...59) != nil && fraction()
  }

  /// PostgreSQL takes less than 16 hours.
  mutating func offset() -> Bool { take("Z", "z") || take("+", "-") && hoursAndMinutes(0...15) }

  private mutating func hoursAndMinutes(_ hours: ClosedRange<Int>) -> Bool {
    number(2, in: hours) != nil && take(":") && number(2, in: 0...59) != nil
  }

  /// Absent, or of at most nine digits.
  private mutating func fraction() -> Bool {
    guard take(".") else { return true }
    let digits = rest.prefix(while: isDigit).count
    rest = rest.dropFirst(digits)
    return (1...9).contains(digits)
  }

  private mutating func number(_ width: Int, in range: ClosedRange<Int>) -> Int? {
    let digits = rest.prefix(width)
    guard digits.count == width, digits.allSatisfy(isDigit) else { return nil }
    rest = rest.dropFirst(width)
    let number = digits.reduce(0) { $0 * 10 + Int($1 - UInt8(ascii: "0")) }
    return range.contains(number) ? number : nil
  }

  private mutating func take(_ alternatives: Unicode.Scalar...) -> Bool {
    guard let first = rest.first, alternatives.contains(Unicode.Scalar(first)) else { return false }
    rest = rest.dropFirst()
    return true
  }

  private func isDigit(_ byte: UInt8) -> Bool { (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(byte) }

  private func days(in month: Int, of year: Int) -> Int {
    switch month {
    case 2: year.isMultiple(of: 4) && !year.isMultiple(of: 100) || year.isMultiple(of: 400) ? 29 : 28
    case 4, 6, 9, 11: 30
    default: 31
    }
  }
}
