/// A number as queries write it.
enum Number {
  /// Digits with an optional minus before them and an optional fraction behind, in bounded length. PostgreSQL reads
  /// every such text as numeric.
  static func isWellFormed(_ text: String) -> Bool {
    guard text.utf8.count <= QueryLimit.number else { return false }
    let magnitude = text.hasPrefix("-") ? text.dropFirst() : text[...]
    let parts = magnitude.split(separator: ".", omittingEmptySubsequences: false)
    return parts.count <= 2 && parts.allSatisfy { !$0.isEmpty && $0.unicodeScalars.allSatisfy(\.isDigit) }
  }
}
