import Models

/// Draws how far something is, as one line of text.
enum ProgressBar {
  /// Cells of a bar: fewer tell nothing, and more tell no more.
  private static let cells = 5...24
  private static let gap = "  "

  /// The line in fewer than `width` columns, because some terminals begin a new line after the last one. What does not
  /// fit is left out, the least telling first; the bar takes what is left.
  static func text(_ label: String, _ progress: OperationProgress, width: Int) -> String {
    let label = Text.printable(label, limit: max(0, width))
    let percent = progress.percent.map { "\(padding($0))\($0)%" }
    let amount = Units.part(progress.bytesDone, of: progress.bytesInAll)
    let least = percent ?? amount
    let rate = progress.rate.flatMap { $0 > 0 ? "\(Units.bytes($0))/s" : nil }
    let remaining = eta(progress).map { "ETA \($0)" }
    let choices: [[String?]] = [
      [label, percent, amount, rate, remaining], [percent, amount, rate, remaining], [least, rate, remaining],
      [least, remaining], [least],
    ]
    let fitting = choices.lazy.map { $0.compactMap(\.self) }.first { columns(of: $0) < width }
    guard var parts = fitting else { return "" }
    if let percent = progress.percent, let bar = bar(percent, columns: width - 1 - columns(of: parts) - gap.count) {
      parts.insert(bar, at: parts.first == label ? 1 : 0)
    }
    return parts.joined(separator: gap)
  }

  /// The time left at the present rate; nil when it cannot be known.
  static func eta(_ progress: OperationProgress) -> String? {
    guard let total = progress.bytesInAll, let rate = progress.rate, rate > 0 else { return nil }
    let seconds = (Double(total - progress.bytesDone) / Double(rate)).rounded(.up)
    return seconds < 360_000 ? clock(Int(seconds)) : "over 99 h"
  }

  /// `m:ss`, or `h:mm:ss` from an hour on.
  private static func clock(_ seconds: Int) -> String {
    let minutes = seconds / 60 % 60
    guard seconds >= 3600 else { return "\(minutes):\(two(seconds % 60))" }
    return "\(seconds / 3600):\(two(minutes)):\(two(seconds % 60))"
  }

  private static func two(_ number: Int) -> String { number < 10 ? "0\(number)" : "\(number)" }

  /// Keeps what stands after the number from moving.
  private static func padding(_ percent: Int) -> String { percent < 10 ? "  " : percent < 100 ? " " : "" }

  private static func bar(_ percent: Int, columns: Int) -> String? {
    guard columns - 2 >= cells.lowerBound else { return nil }
    let count = min(columns - 2, cells.upperBound)
    let full = count * percent / 100
    return "[\(String(repeating: "#", count: full))\(String(repeating: ".", count: count - full))]"
  }

  private static func columns(of parts: [String]) -> Int {
    parts.map(columns).reduce(0, +) + gap.count * max(0, parts.count - 1)
  }

  /// The columns that text takes at most: two for each character that may be a wide one (Unicode TR 11), which begin
  /// with the Hangul Jamo.
  private static func columns(of text: String) -> Int {
    text.unicodeScalars.reduce(0) { $0 + ($1.value < 0x1100 ? 1 : 2) }
  }
}

extension OperationProgress {
  /// What a server sends may be absurd.
  var bytesInAll: Int64? { total.flatMap { $0 > 0 ? $0 : nil } }
  var bytesDone: Int64 { min(max(done, 0), bytesInAll ?? .max) }

  /// The hundredths of the whole that are done, rounded down.
  var percent: Int? { bytesInAll.map { Int((Double(bytesDone) / Double($0) * 100).rounded(.down)) } }
}
