import HTTPTypes
import Hummingbird
import Models
import ServiceKit

extension Request {
  /// The body as content of an image.
  /// - Throws: `unsupported_media_type` for a form, an encoding, or text.
  func content() throws -> RequestBody {
    let type = headers[.contentType]?.mediaType ?? "application/octet-stream"
    let isText = ["application/json", "application/x-www-form-urlencoded"].contains(type)
    guard headers[.contentEncoding] == nil, type.hasPrefix("application/"), !isText else {
      throw ServiceError(.unsupportedMediaType, "Send the image itself, as application/octet-stream.")
    }
    return body
  }

  /// A key that is not honoured must not be taken for one that is.
  /// - Throws: `invalid_field`.
  func refuseIdempotencyKey() throws {
    guard headers[.idempotencyKey] == nil else {
      throw ServiceError.invalid(
        "Idempotency-Key", "is not taken here: the answer holds a secret, which is not kept to be given again.")
    }
  }
}
