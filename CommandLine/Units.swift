import Foundation

/// Sizes for people.
enum Units {
  /// Bytes in the largest unit of 1024 that keeps the number at 1 or more, with at most one decimal.
  static func bytes(_ count: Int64) -> String {
    var value = Double(count)
    var units = ["B", "KiB", "MiB", "GiB", "TiB"][...]
    while value >= 1024, units.count > 1 {
      value /= 1024
      units = units.dropFirst()
    }
    return "\(decimal(value)) \(units.first ?? "B")"
  }

  static func mebibytes(_ count: Int) -> String { bytes(saturating(count, 1 << 20)) }

  static func gibibytes(_ count: Int) -> String { bytes(saturating(count, 1 << 30)) }

  /// Bytes as MiB alone, so that numbers of one download can be compared.
  static func progress(done: Int64, total: Int64?) -> String {
    let scale = Double(1 << 20)
    guard let total else { return "\(decimal(Double(done) / scale)) MiB" }
    return "\(decimal(Double(done) / scale))/\(decimal(Double(total) / scale)) MiB"
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
