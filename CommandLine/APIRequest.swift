import Foundation

/// A request to the API, before it is known where the server is and who asks.
struct APIRequest: Sendable, Equatable {
  enum Method: String, Sendable {
    case get = "GET"
    case post = "POST"
    case put = "PUT"
    case delete = "DELETE"
  }

  let method: Method
  /// Path and query, percent-encoded.
  let target: String
  var headers: [String: String] = [:]
  var body: Data?
  /// Seconds the server may hold the answer back because it was asked to.
  var held = 0

  static func get(_ path: String, query: [(name: String, value: String)] = []) -> APIRequest {
    let items = query.map { "\($0.name)=\(percentEncoded($0.value))" }.joined(separator: "&")
    return APIRequest(method: .get, target: items.isEmpty ? path : "\(path)?\(items)")
  }

  /// GET of a target that is encoded already.
  static func get(target: String) -> APIRequest { APIRequest(method: .get, target: target) }

  static func delete(_ path: String) -> APIRequest { APIRequest(method: .delete, target: path) }

  /// A request with a JSON body, in which times are written as RFC 3339 has them.
  static func send(_ method: Method, _ path: String, _ body: some Encodable) throws -> APIRequest {
    let encoder = JSONEncoder()
    encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
    encoder.dateEncodingStrategy = .iso8601
    return APIRequest(
      method: method, target: path, headers: ["Content-Type": "application/json"], body: try encoder.encode(body))
  }

  /// One segment of a path. Dots alone are encoded too, because `..` means the parent to many.
  static func segment(_ text: String) -> String {
    text.allSatisfy { $0 == "." } ? text.replacing(".", with: "%2E") : percentEncoded(text)
  }

  /// All but the unreserved characters of RFC 3986 (2.3) encoded.
  private static func percentEncoded(_ text: String) -> String {
    let unreserved = Set("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-._~".utf8)
    return text.utf8.reduce(into: "") { encoded, byte in
      if unreserved.contains(byte) {
        encoded.unicodeScalars.append(Unicode.Scalar(byte))
      } else {
        let digits = String(byte, radix: 16, uppercase: true)
        encoded += digits.count == 1 ? "%0\(digits)" : "%\(digits)"
      }
    }
  }
}

/// What came back, whatever its status.
struct APIAnswer: Sendable {
  let status: Int
  /// Names in lower case.
  let headers: [String: String]
  let body: Data

  /// The media type without its parameters.
  var mediaType: String {
    let type = headers["content-type"]?.prefix { $0 != ";" } ?? ""
    return type.trimmingCharacters(in: .whitespaces).lowercased()
  }

  var isJSON: Bool { mediaType == "application/json" || mediaType.hasSuffix("+json") }
}

/// Carries requests to a server. It throws `CommandFailure` for what prevents an answer.
protocol Transport: Sendable {
  func send(_ request: APIRequest, to server: ServerAddress) async throws -> APIAnswer

  /// Hands over an answer as it comes. One that is no success is returned whole, and one that is, without its body.
  func stream(
    _ request: APIRequest, to server: ServerAddress, _ receive: @Sendable (Data) throws -> Void
  ) async throws -> APIAnswer

  /// Sends a file as the body. An answer that refuses it may come before all of it is sent, and ends the sending.
  func send(_ request: APIRequest, _ body: FilePieces, to server: ServerAddress) async throws -> APIAnswer
}
