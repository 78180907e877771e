import Models

/// A column of a table: its title, and what it shows of a row.
struct Column<Row>: Sendable {
  let title: String
  /// What stands in a line of a list, and under each other where a row is shown alone.
  let lines: @Sendable (Row) -> [String]

  init(_ title: String, _ text: @escaping @Sendable (Row) -> String?) {
    self.init(title, lines: { row in text(row).map { [$0] } ?? [] })
  }

  init(_ title: String, lines: @escaping @Sendable (Row) -> [String]) {
    self.title = title
    self.lines = lines
  }
}

/// Text in aligned columns, two spaces apart, with `-` for what is not there. What must not reach a terminal is
/// replaced, so that a row stays a line.
struct Table: Sendable {
  private let lines: [[String]]
  /// Whether the first line is titles; else the first column is.
  private let hasTitles: Bool

  /// A line per row under upper-case titles.
  static func list<Row>(_ rows: [Row], _ columns: [Column<Row>]) -> Table {
    let cells = rows.map { row in columns.map { cell($0.lines(row).joined(separator: ", ")) } }
    return Table(lines: [columns.map { $0.title.uppercased() }] + cells, hasTitles: true)
  }

  /// A line per field of one row, and more for a field that has several.
  static func fields<Row>(_ row: Row, _ columns: [Column<Row>]) -> Table {
    Table(
      lines: columns.flatMap { column in
        let lines = column.lines(row)
        let rest = lines.dropFirst().map { ["", cell($0)] }
        return [[column.title.uppercased(), cell(lines.first ?? "")]] + rest
      }, hasTitles: false)
  }

  private static func cell(_ text: String) -> String { text.isEmpty ? "-" : Text.printable(text, limit: .max) }

  /// - Parameter width: Columns that there are; the widest cells of a list are cut to fit, but none that is copied, such as
  ///   an id. Nil for as many as it takes.
  func text(width: Int? = nil, inColours: Bool = false) -> String {
    let count = lines.map(\.count).max() ?? 0
    var widths = (0..<count).map { index in lines.map { $0[index].count }.max() ?? 0 }
    if let width, hasTitles { shrink(&widths, to: width) }
    return lines.enumerated().map { number, cells in
      line(cells, widths, inColours: inColours, isTitles: hasTitles && number == 0) + "\n"
    }.joined()
  }

  private func shrink(_ widths: inout [Int], to width: Int) {
    let kept: Set = ["ID", "USER", "ADDRESSES", "NAME", "ADDR", "HOST", "EMAIL", "SERVER"]
    let shrinkable = widths.indices.filter { !kept.contains(lines[0][$0]) }
    while widths.reduce(0, +) + 2 * (widths.count - 1) > width {
      guard let widest = shrinkable.max(by: { widths[$0] < widths[$1] }), widths[widest] > 10 else { return }
      widths[widest] -= 1
    }
  }

  private func line(_ cells: [String], _ widths: [Int], inColours: Bool, isTitles: Bool) -> String {
    let fitted = zip(cells, widths).enumerated().map { index, pair in
      let (cell, width) = pair
      let text = cell.count > width && hasTitles ? cell.prefix(width - 1) + "…" : cell[...]
      let gap = index == cells.count - 1 ? 0 : width - text.count + 2
      let title = hasTitles ? lines[0][index] : cells[0]
      let tone = inColours ? Tone(cell, in: title, isTitle: isTitles || (!hasTitles && index == 0)) : nil
      return (tone.map { "\($0.start)\(text)\(Tone.end)" } ?? String(text)) + String(repeating: " ", count: gap)
    }
    return fitted.joined()
  }
}

/// How a word is shown on a terminal (ECMA-48, SGR).
private enum Tone: String {
  case good = "32"
  case bad = "31"
  case passing = "33"
  case quiet = "2"

  static let end = "\u{1B}[0m"

  var start: String { "\u{1B}[\(rawValue)m" }

  /// Nil for what is shown as all else.
  init?(_ text: String, in title: String, isTitle: Bool) {
    if isTitle {
      self = .quiet
      return
    }
    guard ["STATE", "STATUS", "RESULT"].contains(title) else { return nil }
    switch text.prefix(while: \.isLetter) {
    case "running", "available", "up", "done", "good": self = .good
    case "error", "unreachable", "dead", "failed", "bad", "unknown": self = .bad
    case "stopped", "cancelled", "skipped": self = .quiet
    default: self = .passing
    }
  }
}
