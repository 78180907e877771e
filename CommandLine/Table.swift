import Models

/// A column of a table: its title, and what it shows of a row.
struct Column<Row>: Sendable {
  let title: String
  let text: @Sendable (Row) -> String?

  init(_ title: String, _ text: @escaping @Sendable (Row) -> String?) {
    self.title = title
    self.text = text
  }
}

/// Text in aligned columns, two spaces apart, with `-` for what is not there. What must not reach a terminal is
/// replaced, so that a row stays a line.
enum Table {
  /// A line per row under upper-case titles.
  static func list<Row>(_ rows: [Row], _ columns: [Column<Row>]) -> String {
    aligned([columns.map { $0.title.uppercased() }] + rows.map { row in columns.map { cell($0.text(row)) } })
  }

  /// A line per field of one row.
  static func fields<Row>(_ row: Row, _ columns: [Column<Row>]) -> String {
    aligned(columns.map { [$0.title.uppercased(), cell($0.text(row))] })
  }

  private static func cell(_ text: String?) -> String {
    guard let text, !text.isEmpty else { return "-" }
    return Text.printable(text, limit: .max)
  }

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
