/// The stable word by which clients tell one refusal from another; the `code` of a problem document.
public enum ErrorCode: String, Codable, Sendable, CaseIterable {
  case malformedRequest = "malformed_request"
  case badQuery = "bad_query"
  case unauthenticated = "unauthenticated"
  case invalidCredentials = "invalid_credentials"
  /// The password is right, and the code of the second factor is lacking.
  case otpRequired = "otp_required"
  case forbidden = "forbidden"
  case quotaExceeded = "quota_exceeded"
  case notFound = "not_found"
  case methodNotAllowed = "method_not_allowed"
  case conflict = "conflict"
  case invalidState = "invalid_state"
  case staleGeneration = "stale_generation"
  case tooLarge = "too_large"
  case unsupportedMediaType = "unsupported_media_type"
  case invalidField = "invalid_field"
  case urlForbidden = "url_forbidden"
  case hostRefused = "host_refused"
  case tooManyRequests = "too_many_requests"
  case internalError = "internal_error"
  case unavailable = "unavailable"
  case noCapacity = "no_capacity"

  // How an import ends when the image or its source is at fault.
  case sourceFailed = "source_failed"
  case timeout = "timeout"
  case badFormat = "bad_format"
  case unsafeImage = "unsafe_image"
  case corrupt = "corrupt"
  case checksumMismatch = "checksum_mismatch"
  case noSpace = "no_space"

  /// The code a peer sent that this version does not know reads as an internal error.
  public init(wire: String) { self = ErrorCode(rawValue: wire) ?? .internalError }
}

/// A field of a request that was refused, and why.
public struct FieldError: Codable, Hashable, Sendable {
  public var field: String
  public var message: String

  public init(field: String, message: String) {
    self.field = field
    self.message = message
  }
}

/// The one error of the domain. It knows no HTTP; `ServiceKit` turns it into a problem document in one place.
///
/// `message` is for the person who asked. `detail` is for the log alone: it may name paths, SQL or libvirt's words.
public struct ServiceError: Error, Sendable, CustomStringConvertible {
  public var code: ErrorCode
  public var message: String
  public var fields: [FieldError]
  public var detail: String?
  /// Seconds after which trying again makes sense.
  public var retryAfter: Int?
  /// Of `too_many_requests`: how many attempts there are before one has to wait.
  public var rateLimit: Int?
  /// Of `quota_exceeded`.
  public var quota: QuotaRefusal?

  public init(
    _ code: ErrorCode, _ message: String, fields: [FieldError] = [], detail: String? = nil, retryAfter: Int? = nil
  ) {
    self.code = code
    self.message = message
    self.fields = fields
    self.detail = detail
    self.retryAfter = retryAfter
  }

  public var description: String { "\(code.rawValue): \(message)" + (detail.map { " [\($0)]" } ?? "") }

  /// Absent and hidden resources are refused by this same value, so that they cannot be told apart.
  public static func notFound(_ kind: ResourceKind) -> ServiceError {
    ServiceError(.notFound, "There is no such \(kind.noun), or you may not see it.")
  }

  public static func invalid(_ field: String, _ message: String) -> ServiceError {
    ServiceError(.invalidField, "\(field): \(message)", fields: [FieldError(field: field, message: message)])
  }
}

/// The kinds of resource the catalogue knows.
public enum ResourceKind: String, Codable, Sendable {
  case user, host, image, vm, operation, session, invitation, key

  /// The kind as it stands in a sentence.
  public var noun: String { self == .vm ? "VM" : rawValue }
}
