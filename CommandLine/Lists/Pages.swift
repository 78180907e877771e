import Foundation
import Models

/// What is listed of a collection.
struct Selection: Sendable {
  /// A condition as in SQL; nil for all.
  var condition: String?
  /// A field, with `-` before it to begin with the greatest.
  var sort: String?
  /// Most objects to list; nil for all.
  var limit: Int?
}

/// The beginning of a list, or all of it.
struct Listing<Kind: Resource>: Sendable {
  let fetched: Fetched<[Kind]>
  /// How many there are in all, if the server says so.
  let total: Int?
  /// Whether the server has another page.
  let continues: Bool

  /// A sentence on what is not shown.
  var remark: String? {
    let shown = fetched.value.count
    if let total, total > shown { return "showing \(Units.grouped(shown)) of \(Units.grouped(total))" }
    return continues && total == nil ? "showing the first \(Units.grouped(shown)); there are more" : nil
  }
}

/// Lists a collection, page by page when only so many objects are wanted.
struct Pages<Kind: Resource>: Sendable {
  /// The longest page that the server takes a request for.
  static var longest: Int { 1000 }

  let client: APIClient

  func list(_ selection: Selection) async throws -> Listing<Kind> {
    var items = [("query", selection.condition), ("sort", selection.sort)].compactMap { name, value in
      value.map { (name: name, value: $0) }
    }
    guard let limit = selection.limit else {
      let answer = try await client.send(.get(Kind.collectionPath, query: items))
      return Self.listing(try client.decode(answer), last: answer)
    }
    items.append((name: "limit", value: "\(min(limit, Self.longest))"))
    return try await collect(limit, from: APIRequest.get(Kind.collectionPath, query: items))
  }

  /// Asks for as many pages as `limit` objects fill, whatever the server links to after that.
  private func collect(_ limit: Int, from first: APIRequest) async throws -> Listing<Kind> {
    var request = first
    var pages: [Fetched<[Kind]>] = []
    var missing = limit
    var asked: Set<String> = []
    while true {
      let answer = try await client.send(request)
      let page: Fetched<[Kind]> = try client.decode(answer)
      pages.append(page)
      missing -= page.value.count
      guard missing > 0, pages.count < (limit - 1) / Self.longest + 1, let next = Self.next(answer) else {
        return Self.listing(try joined(pages, limit), last: answer)
      }
      request = .get(target: try target(of: next, missing: missing))
      guard !page.value.isEmpty, asked.insert(next).inserted else {
        throw CommandFailure(.failed, "\(client.server) links the pages of its list in a circle.")
      }
    }
  }

  private static func next(_ answer: APIAnswer) -> String? { answer.headers["link"].flatMap(Link.next) }

  private static func listing(_ fetched: Fetched<[Kind]>, last: APIAnswer) -> Listing<Kind> {
    Listing(fetched: fetched, total: last.headers["total-count"].flatMap { Int($0) }, continues: next(last) != nil)
  }

  /// One page is left as it was sent.
  private func joined(_ pages: [Fetched<[Kind]>], _ limit: Int) throws -> Fetched<[Kind]> {
    let values = pages.flatMap(\.value)
    if let only = pages.first, pages.count == 1, values.count <= limit { return only }
    let elements = pages.flatMap { JSONArray.elements(of: $0.json) }
    guard elements.count == values.count else {
      throw CommandFailure(.failed, "\(client.server) answered with what cannot be read. Is it an IaaS server?")
    }
    return Fetched(value: Array(values.prefix(limit)), json: JSONArray.joined(Array(elements.prefix(limit))))
  }

  /// The request target of a link to the same collection of the same server, with no more asked for than is missing.
  /// - Throws: `CommandFailure` for a link elsewhere, where the token must not go.
  private func target(of link: String, missing: Int) throws -> String {
    let server = client.server.description
    let target = link.hasPrefix("?") ? Kind.collectionPath + link : String(link.trimmingPrefix(server))
    let parts = target.split(separator: "?", maxSplits: 1, omittingEmptySubsequences: false)
    guard parts.count == 2, parts[0] == Kind.collectionPath, parts[1].utf8.allSatisfy(Self.standsInQuery) else {
      throw CommandFailure(.failed, "\(server) links the next page to \(link), which is not followed.")
    }
    let items = parts[1].split(separator: "&").filter { !$0.hasPrefix("limit=") }
    let limit = "limit=\(min(missing, Self.longest))"
    return "\(parts[0])?\((items + [limit[...]]).joined(separator: "&"))"
  }

  /// The characters of a query (RFC 3986, 3.4).
  private static func standsInQuery(_ byte: UInt8) -> Bool {
    (0x21...0x7e).contains(byte) && !"\"#<>[\\]^`{|}".utf8.contains(byte)
  }
}
