/// A QR code as lines for a terminal: a character holds two modules, one above the other, so that they are square.
enum QRDrawing {
  /// Light modules around the code (ISO/IEC 18004: four).
  static let quietZone = 4
  /// ECMA-48, SGR: black on white whatever the colours of the terminal, because readers want dark on light.
  static let begin = "\u{1B}[30;47m"
  static let end = "\u{1B}[0m"

  static func columns(of code: QRCode) -> Int { code.width + 2 * quietZone }

  static func lines(_ code: QRCode) -> [String] {
    let places = -quietZone..<code.width + quietZone
    return stride(from: places.lowerBound, to: places.upperBound, by: 2).map { row in
      let blocks = places.map { column in
        block(code.isDark(row: row, column: column), over: code.isDark(row: row + 1, column: column))
      }
      return begin + blocks.joined() + end
    }
  }

  private static func block(_ upper: Bool, over lower: Bool) -> String {
    switch (upper, lower) {
    case (false, false): " "
    case (true, false): "\u{2580}"
    case (false, true): "\u{2584}"
    case (true, true): "\u{2588}"
    }
  }
}
