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
enum Table {
  /// A line per row under upper-case titles.
  static func list<Row>(_ rows: [Row], _ columns: [Column<Row>]) -> String {
    let cells = rows.map { row in columns.map { cell($0.lines(row).joined(separator: ", ")) } }
    return aligned([columns.map { $0.title.uppercased() }] + cells)
  }

  /// A line per field of one row, and more for a field that has several.
  static func fields<Row>(_ row: Row, _ columns: [Column<Row>]) -> String {
    aligned(
      columns.flatMap { column in
        let lines = column.lines(row)
        let rest = lines.dropFirst().map { ["", cell($0)] }
        return [[column.title.uppercased(), cell(lines.first ?? "")]] + rest
      })
  }

  private static func cell(_ text: String) -> String { text.isEmpty ? "-" : Text.printable(text, limit: .max) }

  private static func aligned(_ lines: [[String]]) -> String {
    let count = lines.map(\.count).max() ?? 0
    let widths = (0..<count).map { index in lines.map { $0[index].count }.max() ?? 0 }
    return lines.map { line($0, widths) + "\n" }.joined()
  }

  private static func line(_ cells: [String], _ widths: [Int]) -> String {
    let padded = zip(cells, widths).dropLast().map { cell, width in
      cell + String(repeating: " ", count: width - cell.count + 2)
    }
    return padded.joined() + (cells.last ?? "")
  }
}
