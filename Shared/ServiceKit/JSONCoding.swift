import Foundation
import HTTPTypes
import Hummingbird
import Models

/// The JSON that every service reads and writes: times in RFC 3339 UTC, members sorted.
public enum JSON {
  public static let encoder: JSONEncoder = {
    let encoder = JSONEncoder()
    encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
    encoder.dateEncodingStrategy = .custom { date, encoder in
      var container = encoder.singleValueContainer()
      // Rounded to the millisecond, so that a time that was read and written again stays the same.
      let rounded = Date(timeIntervalSince1970: ((date.timeIntervalSince1970 * 1000).rounded() + 0.1) / 1000)
      try container.encode(rounded.formatted(Date.ISO8601FormatStyle(includingFractionalSeconds: true)))
    }
    return encoder
  }()

  public static let decoder: JSONDecoder = {
    let decoder = JSONDecoder()
    decoder.dateDecodingStrategy = .custom { decoder in
      let container = try decoder.singleValueContainer()
      if let date = Date(rfc3339: try container.decode(String.self)) { return date }
      throw DecodingError.dataCorruptedError(in: container, debugDescription: "not a time in RFC 3339")
    }
    return decoder
  }()
}

/// Longest body of a request, in bytes, image content apart.
public let maximumBodySize = 1 << 20

extension Request {
  /// Reads the JSON body.
  /// - Throws: `ServiceError`: `unsupported_media_type`, `too_large`, `malformed_request` or `invalid_field`.
  public func decodeJSON<Value: Decodable>(_: Value.Type = Value.self) async throws -> Value {
    try JSON.decodeStrictly(Value.self, from: try await jsonData())
  }

  /// Reads the JSON body where there is one; an empty one and `{}` are none.
  /// - Throws: As `decodeJSON`.
  public func decodeJSONIfAny<Value: Decodable>(_: Value.Type = Value.self) async throws -> Value? {
    let data = try await jsonData()
    let text = String(decoding: data, as: UTF8.self).filter { !$0.isWhitespace }
    return text.isEmpty || text == "{}" ? nil : try JSON.decodeStrictly(Value.self, from: data)
  }

  private func jsonData() async throws -> Data {
    if let type = headers[.contentType], type.mediaType != "application/json" {
      throw ServiceError(.unsupportedMediaType, "Send the body as application/json.")
    }
    if headers[.contentEncoding] != nil {
      throw ServiceError(.unsupportedMediaType, "Send the body uncompressed.")
    }
    var data = Data()
    for try await buffer in body {
      guard data.count + buffer.readableBytes <= maximumBodySize else {
        throw ServiceError(.tooLarge, "The body must not be larger than 1 MiB.")
      }
      data.append(contentsOf: buffer.readableBytesView)
    }
    return data
  }
}

extension JSON {
  /// - Throws: `ServiceError` `malformed_request` for what is not JSON in UTF-8, `invalid_field` for a member that is
  ///   missing, unknown, or of the wrong type.
  static func decodeStrictly<Value: Decodable>(_: Value.Type, from data: Data) throws -> Value {
    guard let text = String(validating: data, as: UTF8.self), !text.contains("\0"), !text.hasPrefix("\u{FEFF}") else {
      throw ServiceError(.malformedRequest, "The body is not JSON in UTF-8.")
    }
    guard text.first(where: { !$0.isWhitespace }) == "{" else {
      throw ServiceError(.malformedRequest, "The body must be a JSON object.")
    }
    // `JSONDecoder` takes it, and RFC 8259 does not.
    guard !hasTrailingComma(data) else {
      throw ServiceError(.malformedRequest, "The body has a comma behind the last member or item.")
    }
    do { return try decoder.decode(Value.self, from: data) } catch let error as DecodingError {
      throw refusal(of: error)
    }
  }

  /// Whether an object or an array ends with a comma. Everything else that is not JSON is the decoder's to find.
  static func hasTrailingComma(_ data: Data) -> Bool {
    var isInString = false
    var isEscaped = false
    var last: UInt8 = 0
    for byte in data {
      if isInString {
        if isEscaped {
          isEscaped = false
        } else if byte == UInt8(ascii: "\\") {
          isEscaped = true
        } else if byte == UInt8(ascii: "\"") {
          isInString = false
        }
        continue
      }
      if [0x20, 0x09, 0x0a, 0x0d].contains(byte) { continue }
      if last == UInt8(ascii: ","), byte == UInt8(ascii: "}") || byte == UInt8(ascii: "]") { return true }
      isInString = byte == UInt8(ascii: "\"")
      last = byte
    }
    return false
  }

  private static func refusal(of error: DecodingError) -> ServiceError {
    func name(_ path: [any CodingKey]) -> String { path.map(\.stringValue).joined(separator: ".") }
    switch error {
    case .keyNotFound(let key, let context): return .invalid(name(context.codingPath + [key]), "must be given.")
    case .valueNotFound(_, let context): return .invalid(name(context.codingPath), "must not be null.")
    case .typeMismatch(_, let context): return .invalid(name(context.codingPath), "has the wrong type.")
    case .dataCorrupted(let context) where !context.codingPath.isEmpty:
      return .invalid(name(context.codingPath), "has a value that is not possible here.")
    default: return ServiceError(.malformedRequest, "The body is not a whole JSON document.")
    }
  }
}

/// An answer with a JSON body.
public struct JSONResponse<Value: Encodable>: ResponseGenerator {
  public var status: HTTPResponse.Status
  public var headers: HTTPFields
  public var value: Value

  public init(_ value: Value, status: HTTPResponse.Status = .ok, headers: HTTPFields = [:]) {
    self.value = value
    self.status = status
    self.headers = headers
  }

  public func response(from request: Request, context: some RequestContext) throws -> Response {
    var headers = headers
    headers[.contentType] = "application/json; charset=utf-8"
    let data = try JSON.encoder.encode(value)
    return Response(status: status, headers: headers, body: .init(byteBuffer: ByteBuffer(bytes: data)))
  }
}
