import Models

/// What bounds the work that one query can ask for.
enum QueryLimit {
  static let bytes = 2048
  static let terms = 32
  /// Of parentheses and NOT.
  static let nesting = 32
  /// Characters of a number.
  static let number = 40
  /// Characters of the query that an error repeats.
  static let echo = 32
}

extension ServiceError {
  /// - Parameters:
  ///   - position: The character of the query, from 1.
  ///   - message: What is wrong, without a full stop.
  static func badQuery(at position: Int, _ message: String) -> ServiceError {
    let located = "at character \(position): \(message)."
    return ServiceError(.badQuery, "query: \(located)", fields: [FieldError(field: "query", message: located)])
  }
}
