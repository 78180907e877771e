import Testing

@testable import CommandLineTool

@Suite struct QRTests {
  /// What zbarimg reads as `IAAS`.
  private static let golden = """
    █▀▀▀▀▀█ ▄ █ █ █▀▀▀▀▀█
    █ ███ █ ▀ ▀▀▄ █ ███ █
    █ ▀▀▀ █ ███▀▀ █ ▀▀▀ █
    ▀▀▀▀▀▀▀ █ ▀ ▀ ▀▀▀▀▀▀▀
    ▀█▄▀▄ ▀▀  ██▀▄▀█▀▄▀█.
    ██▀█▀▀▀▄▄  ▀▄▄████▀ █
    ▀  ▀ ▀▀ █ █▀ ██▀▄▄▀..
    █▀▀▀▀▀█ ▀▀▀▀▀ █ ▀ ▀█.
    █ ███ █ ▄▀█ ▀██▄ ▀▀▄█
    █ ▀▀▀ █ ▄▀ █▄▀▀█ █  ▀
    ▀▀▀▀▀▀▀ ▀▀   ▀ ▀ ▀▀▀.
    """

  @Test func theDrawingOfAKnownText() throws {
    let code = try #require(QRCode("IAAS"))
    let blank = String(repeating: " ", count: 29)
    let middle = Self.golden.split(separator: "\n").map { "    \($0.replacing(".", with: " "))    " }
    #expect(try QRDrawing.lines(code).map(Self.blocks) == [blank, blank] + middle + [blank, blank])
    #expect(code.width == 21 && QRDrawing.columns(of: code) == 29)
  }

  @Test(arguments: [1, 2, 17, 18, 100, 271, 1000, 2953])
  func theBlocksAreTheModulesOfTheLibrary(length: Int) throws {
    let code = try #require(QRCode(String(repeating: "o", count: length)))
    let rows = try QRDrawing.lines(code).flatMap { Self.modules(try Self.blocks($0)) }
    let zone = QRDrawing.quietZone
    // A character more than there are modules, because their number is odd.
    #expect(rows.count == code.width + 2 * zone + 1)
    #expect(rows.allSatisfy { $0.count == code.width + 2 * zone })
    for (row, modules) in rows.enumerated() {
      for (column, isDark) in modules.enumerated() {
        #expect(isDark == code.isDark(row: row - zone, column: column - zone))
      }
    }
  }

  @Test(arguments: [0, 2954, 100_000])
  func whatFitsIntoNoCode(length: Int) { #expect(QRCode(String(repeating: "o", count: length)) == nil) }

  @Test func aroundTheCodeIsLight() throws {
    let code = try #require(QRCode("IAAS"))
    for place in [-100, -1, 21, 100] {
      #expect(!code.isDark(row: 0, column: place) && !code.isDark(row: place, column: 0))
    }
    #expect(code.isDark(row: 0, column: 0) && code.isDark(row: 0, column: 20) && code.isDark(row: 20, column: 0))
    #expect(!code.isDark(row: 20, column: 20))
  }

  /// A line without its colours: black on white, and the terminal's own again afterwards.
  private static func blocks(_ line: String) throws -> String {
    try #require(line.hasPrefix("\u{1B}[30;47m") && line.hasSuffix("\u{1B}[0m"))
    return String(line.dropFirst(8).dropLast(4))
  }

  /// The upper and the lower row of a line; dark is true.
  private static func modules(_ blocks: String) -> [[Bool]] {
    [blocks.map { "▀█".contains($0) }, blocks.map { "▄█".contains($0) }]
  }
}
