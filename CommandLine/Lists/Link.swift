import Foundation

/// The `Link` header (RFC 8288, 3), as much of it as paging needs.
enum Link {
  /// The target of the first link whose relation is `next`.
  static func next(in header: String) -> String? {
    var rest = header[...]
    while let start = rest.firstIndex(of: "<"), let end = rest[start...].firstIndex(of: ">") {
      let target = rest[rest.index(after: start)..<end]
      let parameters = parameters(rest[rest.index(after: end)...])
      if parameters.contains(where: isNext) { return String(target) }
      rest = parameters.last.map { rest[$0.endIndex...] } ?? ""
    }
    return nil
  }

  /// What stands between semicolons up to the comma that ends the link; neither counts inside of quotes.
  private static func parameters(_ text: Substring) -> [Substring] {
    var parts: [Substring] = []
    var start = text.startIndex
    var isQuoted = false
    for index in text.indices {
      if text[index] == "\"" { isQuoted.toggle() }
      guard !isQuoted, text[index] == ";" || text[index] == "," else { continue }
      parts.append(text[start..<index])
      guard text[index] == ";" else { return parts }
      start = text.index(after: index)
    }
    return parts + [text[start...]]
  }

  private static func isNext(_ parameter: Substring) -> Bool {
    let sides = parameter.lowercased().split(separator: "=", maxSplits: 1)
    guard sides.count == 2, sides[0].trimmingCharacters(in: .whitespaces) == "rel" else { return false }
    return sides[1].split { $0.isWhitespace || $0 == "\"" }.contains("next")
  }
}
