import Foundation
import Hummingbird
import Models

/// The parameters of a URL's query, as forms encode them: a plus sign is a space.
public struct QueryString: Sendable {
  private let values: [String: String]

  /// - Throws: `malformed_request` for what is not percent-encoded UTF-8.
  public init(_ query: String?) throws {
    var values: [String: String] = [:]
    for pair in (query ?? "").split(separator: "&") {
      let parts = pair.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
      let name = try Self.decoded(parts[0])
      // Of several values the first counts, wherever it is looked at.
      if values[name] == nil { values[name] = parts.count == 2 ? try Self.decoded(parts[1]) : "" }
    }
    self.values = values
  }

  public subscript(name: String) -> String? { values[name] }

  /// A parameter that is a whole number.
  /// - Throws: `invalid_field` for anything else, and beyond the range.
  public func integer(_ name: String, in range: ClosedRange<Int>) throws -> Int? {
    guard let text = values[name] else { return nil }
    guard let number = Int(text), range.contains(number) else {
      throw ServiceError.invalid(
        name, "must be a whole number from \(range.lowerBound) to \(range.upperBound).")
    }
    return number
  }

  /// A parameter that is `true` or `false`; false where it is not given.
  /// - Throws: `invalid_field` for anything else.
  public func flag(_ name: String) throws -> Bool {
    switch values[name] {
    case nil, "false": return false
    case "true": return true
    default: throw ServiceError.invalid(name, "must be true or false.")
    }
  }

  /// The named parameters alone, encoded for another URL; those that are absent are left out.
  public static func encoded(_ parameters: [(name: String, value: String?)]) -> String {
    parameters.compactMap { name, value in value.map { "\(name)=\(escaped($0))" } }.joined(separator: "&")
  }

  /// Everything but the unreserved characters escaped (RFC 3986, 2.3).
  public static func escaped(_ text: String) -> String {
    text.addingPercentEncoding(withAllowedCharacters: unreserved) ?? ""
  }

  private static let unreserved = CharacterSet(
    charactersIn: "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-._~")

  private static func decoded(_ text: Substring) throws -> String {
    guard let decoded = text.replacing("+", with: " ").removingPercentEncoding else {
      throw ServiceError(.malformedRequest, "The query of the URL is not percent-encoded UTF-8.")
    }
    return decoded
  }
}

extension String {
  /// The value of a Content-Type header without its parameters, in lower case (RFC 9110, 8.3.1).
  public var mediaType: String {
    prefix { $0 != ";" }.trimmingCharacters(in: .whitespaces).lowercased()
  }
}

extension Request {
  /// The parameters of this request's URL.
  /// - Throws: `malformed_request`.
  public func parameters() throws -> QueryString { try QueryString(uri.query) }

  /// The parameter `month`; nil for the present one.
  /// - Throws: `malformed_request`, `invalid_field`.
  public func month() throws -> Month? {
    guard let text = try parameters()["month"] else { return nil }
    guard let month = Month(text) else { throw Month.invalid }
    return month
  }
}
