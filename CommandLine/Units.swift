import Foundation

/// Sizes for people.
enum Units {
  /// Bytes in the largest unit of 1024 that keeps the number at 1 or more, with at most one decimal.
  static func bytes(_ count: Int64) -> String {
    let unit = unit(for: count)
    return "\(decimal(Double(count) / unit.size)) \(unit.name)"
  }

  /// Bytes done in the unit of those in all, as `1.5/3 GiB`.
  static func part(_ done: Int64, of total: Int64?) -> String {
    guard let total else { return bytes(done) }
    let unit = unit(for: total)
    return "\(decimal(Double(done) / unit.size))/\(decimal(Double(total) / unit.size)) \(unit.name)"
  }

  /// A whole number with a comma between thousands, as `1,234`.
  static func grouped(_ count: Int) -> String {
    let digits = Array("\(count)")
    return digits.indices.reduce(into: "") { text, index in
      if index > 0, (digits.count - index).isMultiple(of: 3), digits[index - 1] != "-" { text += "," }
      text.append(digits[index])
    }
  }

  /// The bytes that a unit stands for, as `K`, `MB` or `GiB`; all of them are powers of 1024.
  static func scale(_ unit: some StringProtocol) -> Int64? {
    switch unit.uppercased() {
    case "K", "KB", "KIB": 1 << 10
    case "M", "MB", "MIB": 1 << 20
    case "G", "GB", "GIB": 1 << 30
    case "T", "TB", "TIB": 1 << 40
    default: nil
    }
  }

  static func mebibytes(_ count: Int) -> String { bytes(saturating(count, 1 << 20)) }

  static func gibibytes(_ count: Int) -> String { bytes(saturating(count, 1 << 30)) }

  /// Bytes as MiB alone, so that numbers of one download can be compared.
  static func progress(done: Int64, total: Int64?) -> String {
    let scale = Double(1 << 20)
    guard let total else { return "\(decimal(Double(done) / scale)) MiB" }
    return "\(decimal(Double(done) / scale))/\(decimal(Double(total) / scale)) MiB"
  }

  private static func unit(for count: Int64) -> (name: String, size: Double) {
    var unit = (name: "B", size: 1.0)
    for name in ["KiB", "MiB", "GiB", "TiB"] where Double(count) >= unit.size * 1024 {
      unit = (name, unit.size * 1024)
    }
    return unit
  }

  private static func decimal(_ value: Double) -> String {
    let text = String(format: "%.1f", value)
    return text.hasSuffix(".0") ? String(text.dropLast(2)) : text
  }

  private static func saturating(_ count: Int, _ scale: Int64) -> Int64 {
    let (product, overflow) = Int64(count).multipliedReportingOverflow(by: scale)
    return overflow ? .max : product
  }
}
