import Models

/// An error as the API words it (RFC 9457), as much of it as was sent.
struct Problem: Decodable {
  var title: String?
  var detail: String?
  var code: String?
  var requestId: String?
  var errors: [FieldError]?

  /// The sentence, then a line of what the fields lack, and one of when to try again, as far as the sentence does not
  /// say so already.
  /// - Parameter retryAfter: Seconds.
  func failure(httpStatus: Int, retryAfter: Int?) -> CommandFailure {
    let sentence = detail ?? title ?? "The server answered \(httpStatus)."
    let request = httpStatus >= 500 ? requestId.map { " (request \($0))" } ?? "" : ""
    let fields = (errors ?? []).map { "\($0.field): \($0.message)" }.filter { !sentence.contains($0) }
    let lines = [sentence + request] + (fields.isEmpty ? [] : [fields.joined(separator: " ")])
    let isSaid = sentence.lowercased().contains("try again")
    let later = retryAfter.flatMap { isSaid || $0 < 1 ? nil : "Try again in \($0) s." }
    return CommandFailure(
      CommandStatus(httpStatus: httpStatus, code: code), lines: lines + (later.map { [$0] } ?? []), code: code)
  }
}
