import Models

/// Comma-separated values (RFC 4180), with a line of titles.
enum CSV {
  static func text<Row>(_ rows: [Row], _ columns: [Column<Row>]) -> String {
    line(columns.map(\.title))
      + rows.map { row in line(columns.map { $0.lines(row).joined(separator: "; ") }) }.joined()
  }

  static func line(_ fields: [String]) -> String { fields.map(field).joined(separator: ",") + "\r\n" }

  /// What a spreadsheet would take for a formula gets an apostrophe before it.
  private static func field(_ text: String) -> String {
    let isFormula = text.first.map { "=+-@".contains($0) } ?? false && Double(text) == nil
    let safe = Text.printable(isFormula ? "'\(text)" : text, limit: .max)
    guard safe.contains(where: { ",\"\r\n".contains($0) }) else { return safe }
    return "\"\(safe.replacing("\"", with: "\"\""))\""
  }
}
