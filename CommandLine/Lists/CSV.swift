import Models

/// Comma-separated values (RFC 4180), with a line of titles.
enum CSV {
  static func text<Row>(_ rows: [Row], _ columns: [Column<Row>]) -> String {
    line(columns.map(\.title))
      + rows.map { row in line(columns.map { $0.lines(row).joined(separator: "; ") }) }.joined()
  }

  static func line(_ fields: [String]) -> String { fields.map(field).joined(separator: ",") + "\r\n" }

  /// What a spreadsheet would take for a formula gets an apostrophe before it. Looked at by code point: to a reader of CSV, a
  /// mark behind a quote does not belong to it.
  private static func field(_ text: String) -> String {
    let isFormula = text.unicodeScalars.first.map { "=+-@".unicodeScalars.contains($0) } ?? false && Double(text) == nil
    let safe = Text.printable(isFormula ? "'\(text)" : text, limit: .max)
    guard safe.unicodeScalars.contains(where: { ",\"\r\n".unicodeScalars.contains($0) }) else { return safe }
    var quoted = String.UnicodeScalarView()
    for scalar in safe.unicodeScalars {
      if scalar == "\"" { quoted.append(scalar) }
      quoted.append(scalar)
    }
    return "\"\(String(quoted))\""
  }
}
