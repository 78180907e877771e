import Foundation

/// How long ago something was, for people.
enum Age {
  /// A time of the API with its age behind it, as `2030-12-31T18:00:00.000Z (5 min ago)`.
  static func dated(_ time: String, now: Date = Date()) -> String {
    ago(time, now: now).map { "\(time) (\($0))" } ?? time
  }

  /// The age alone, in whole units, rounded down; nil for what is no time.
  static func ago(_ time: String, now: Date = Date()) -> String? {
    guard let moment = moment(time) else { return nil }
    let seconds = Int(min(max(0, now.timeIntervalSince(moment)), 1e12))
    switch seconds {
    case 0: return "just now"
    case ..<120: return "\(seconds) s ago"
    case ..<7200: return "\(seconds / 60) min ago"
    case ..<172_800: return "\(seconds / 3600) h ago"
    default: return "\(seconds / 86_400) d ago"
    }
  }

  private static func moment(_ text: String) -> Date? {
    if let date = try? Date(text, strategy: .iso8601) { return date }
    return try? Date(text, strategy: Date.ISO8601FormatStyle(includingFractionalSeconds: true))
  }
}
