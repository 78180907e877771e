import Foundation
import Models
import ServiceKit

/// What a client asks of a list: which items, in what order, and how many of them.
public struct ListRequest: Sendable {
  /// A condition in the language of `Query`; empty for all.
  public var query: String
  /// A sort key's name, with a hyphen before it for descending; nil for the order in which items were made.
  public var sort: String?
  /// Items at most; nil for all of them.
  public var limit: Int?
  var after: Cursor?

  public static let largestLimit = 1000

  public init(query: String = "", sort: String? = nil, limit: Int? = nil) {
    self.query = query
    self.sort = sort
    self.limit = limit
  }

  /// - Throws: `invalid_field` for a limit or a cursor that cannot be.
  public init(_ parameters: QueryString) throws {
    query = parameters["query"] ?? ""
    sort = parameters["sort"]
    if let text = parameters["limit"] {
      guard let limit = Int(text), (1...Self.largestLimit).contains(limit) else {
        throw ServiceError.invalid("limit", "must be a whole number from 1 to \(Self.largestLimit).")
      }
      self.limit = limit
    }
    after = try parameters["after"].map { try Cursor($0) }
  }
}

/// Where the next page begins: after the item with this value of the sort key and this id. The number of items in all goes
/// along, so that it is counted once and not for every page.
struct Cursor: Codable, Sendable {
  let sort: String
  let value: String
  let id: UUIDText
  let total: Int

  init(sort: String, value: String, id: UUIDText, total: Int) {
    self.sort = sort
    self.value = value
    self.id = id
    self.total = total
  }

  /// - Throws: `invalid_field` for what no list has given out.
  init(_ text: String) throws {
    let base64 = text.replacing("-", with: "+").replacing("_", with: "/")
    let padded = base64 + String(repeating: "=", count: (4 - base64.utf8.count % 4) % 4)
    guard let data = Data(base64Encoded: padded), let cursor = try? JSONDecoder().decode(Cursor.self, from: data),
      !cursor.value.contains("\0")
    else { throw Self.foreign }
    self = cursor
  }

  static let foreign = ServiceError.invalid("after", "must be taken from the Link header of the page before.")

  func encoded() throws -> String {
    try JSONEncoder().encode(self).base64EncodedString().replacing("+", with: "-").replacing("/", with: "_")
      .replacing("=", with: "")
  }
}
