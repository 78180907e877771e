import Foundation
import HTTPTypes
import Hummingbird
import Models
import NIOCore
import Postgres
import ServiceKit

extension HTTPField.Name {
  /// How many items a list has in all.
  public static let totalCount = HTTPField.Name("Total-Count")!
  /// On internal calls: the `after` of the next page.
  public static let nextCursor = HTTPField.Name("IaaS-Next")!
}

extension Listing {
  /// Answers with a page, or, without a limit, with everything, sent batch by batch while it is read.
  public func response(to httpRequest: Request) async throws -> Response {
    let request = try ListRequest(try httpRequest.parameters())
    let first = try await page(request)
    var headers: HTTPFields = [.contentType: "application/json; charset=utf-8", .totalCount: String(first.total)]
    if request.limit != nil || first.next == nil {
      if let next = first.next { headers[.nextCursor] = try next.encoded() }
      return Response(
        status: .ok, headers: headers, body: .init(byteBuffer: ByteBuffer(bytes: try JSON.encoder.encode(first.items))))
    }
    return Response(status: .ok, headers: headers, body: .init { try await write(first, request, to: &$0) })
  }

  private func write(_ first: ListPage<Item>, _ request: ListRequest, to writer: inout any ResponseBodyWriter)
    async throws
  {
    var page = first
    var following = request
    // Every page but the last one has items, and all are arrays: their brackets become the commas of the whole.
    var opening = "["
    while let next = page.next {
      try await writer.write(
        ByteBuffer(bytes: Data(opening.utf8) + JSON.encoder.encode(page.items).dropFirst().dropLast()))
      opening = ","
      following.after = next
      page = try await self.page(following)
    }
    if page.items.isEmpty { opening = "" }
    let items = try JSON.encoder.encode(page.items).dropFirst().dropLast()
    try await writer.write(ByteBuffer(bytes: Data(opening.utf8) + items + Data("]".utf8)))
    try await writer.finish(nil)
  }
}
