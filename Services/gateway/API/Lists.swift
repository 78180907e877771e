import AsyncHTTPClient
import Clients
import Foundation
import HTTPTypes
import Hummingbird
import ServiceKit

extension HTTPField.Name {
  static let totalCount = HTTPField.Name("Total-Count")!
  static let link = HTTPField.Name("Link")!
}

/// The lists of the surface, passed on as they come.
enum Lists {
  private static let parameters = ["query", "sort", "limit", "after"]

  /// - Parameter open: Opens the list of this path at the service that has it.
  static func respond(
    to request: Request, _ collection: String, open: (String) async throws -> HTTPClientResponse
  ) async throws -> Response {
    let given = try request.parameters()
    let values = parameters.map { (name: $0, value: given[$0]) }
    let query = QueryString.encoded(values)
    let answer = try await open(query.isEmpty ? collection : "\(collection)?\(query)")
    var headers: HTTPFields = [.contentType: "application/json; charset=utf-8"]
    headers[.totalCount] = answer.headers.first(name: "Total-Count")
    if let next = answer.headers.first(name: "IaaS-Next") {
      // RFC 8288; everything else stays as it was asked for.
      let following = QueryString.encoded(values.map { $0.name == "after" ? ("after", next) : $0 })
      headers[.link] = "</iaas/\(collection)?\(following)>; rel=\"next\""
    }
    return Response(status: .ok, headers: headers, body: .init(asyncSequence: answer.body))
  }
}
