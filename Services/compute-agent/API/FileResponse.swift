import Foundation
import HTTPTypes
import Hummingbird
import Models

/// Answers with a file, or with the end of one from where a download was cut.
enum FileResponse {
  /// - Throws: `not_found` when there is no such file, or nothing in it.
  static func make(_ path: String, request: Request, context: some RequestContext) async throws -> Response {
    guard let size = try? FileManager.default.attributesOfItem(atPath: path)[.size] as? Int, size > 0 else {
      throw ServiceError(.notFound, "There is no such file.")
    }
    var headers: HTTPFields = [.contentType: "application/octet-stream", .acceptRanges: "bytes"]
    guard let range = request.headers[.range] else {
      let body = try await FileIO().loadFile(path: path, range: 0...(size - 1), context: context)
      return Response(status: .ok, headers: headers, body: body)
    }
    // RFC 9110, 14.1.2; more than one open range is never asked for here.
    guard let start = range.wholeMatch(of: /bytes=(\d{1,18})-/).flatMap({ Int($0.1) }), start < size else {
      headers[.contentRange] = "bytes */\(size)"
      return Response(status: .rangeNotSatisfiable, headers: headers)
    }
    headers[.contentRange] = "bytes \(start)-\(size - 1)/\(size)"
    let body = try await FileIO().loadFile(path: path, range: start...(size - 1), context: context)
    return Response(status: .partialContent, headers: headers, body: body)
  }
}
