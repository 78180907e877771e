import Foundation
import HTTPTypes
import Hummingbird
import Models

/// An error as clients see it (RFC 9457).
public struct Problem: Codable, Sendable {
  public var type: String
  public var title: String
  public var status: Int
  public var detail: String
  public var code: String
  public var requestId: String?
  public var errors: [FieldError]?
  // Of `quota_exceeded`: extension members (RFC 9457, 3.2).
  public var resource: QuotaResource?
  public var limit: Int64?
  public var used: Int64?
  public var requested: Int64?
  public var resetsAt: Date?

  public init(_ error: ServiceError, requestID: String?) {
    let status = error.code.status
    type = "about:blank"
    title = status.reasonPhrase
    self.status = status.code
    detail = error.message
    code = error.code.rawValue
    requestId = requestID
    errors = error.fields.isEmpty ? nil : error.fields
    resource = error.quota?.resource
    limit = error.quota?.limit
    used = error.quota?.used
    requested = error.quota?.requested
    resetsAt = error.quota?.resetsAt
  }

  /// The error that a peer meant, for a service that passes it on.
  public var serviceError: ServiceError {
    var error = ServiceError(ErrorCode(wire: code), detail, fields: errors ?? [])
    if let resource, let limit, let used, let requested {
      error.quota = QuotaRefusal(
        resource: resource, limit: limit, used: used, requested: requested, resetsAt: resetsAt)
    }
    return error
  }
}

/// An error of a library that knows what it means to the one who asked.
public protocol ServiceErrorConvertible: Error {
  var serviceError: ServiceError { get }
}

extension ErrorCode {
  /// The one place where codes become statuses.
  public var status: HTTPResponse.Status {
    switch self {
    case .malformedRequest, .badQuery: .badRequest
    case .unauthenticated, .invalidCredentials, .otpRequired: .unauthorized
    case .forbidden, .quotaExceeded: .forbidden
    case .notFound: .notFound
    case .methodNotAllowed: .methodNotAllowed
    case .conflict, .invalidState, .staleGeneration: .conflict
    case .tooLarge: .contentTooLarge
    case .unsupportedMediaType: .unsupportedMediaType
    case .invalidField, .urlForbidden, .hostRefused, .badFormat, .unsafeImage, .corrupt, .checksumMismatch,
      .sourceFailed:
      .unprocessableContent
    case .tooManyRequests: .tooManyRequests
    case .internalError: .internalServerError
    case .unavailable: .serviceUnavailable
    case .timeout: .gatewayTimeout
    case .noCapacity, .noSpace: .init(code: 507, reasonPhrase: "Insufficient Storage")
    }
  }
}

extension ServiceError {
  /// What any error means to the one who asked; what is not known is ours to mend and tells nothing.
  public static func of(_ error: any Error) -> ServiceError {
    switch error {
    case let error as ServiceError: error
    case let error as any ServiceErrorConvertible: error.serviceError
    case let error as HTTPError: ServiceError(of: error)
    case is CancellationError:
      ServiceError(.unavailable, "The service is stopping; try again.", retryAfter: 1)
    default:
      ServiceError(
        .internalError, "Something went wrong on our side. The log has more under the request id.",
        detail: String(reflecting: error))
    }
  }

  private init(of error: HTTPError) {
    switch error.status {
    case .notFound: self.init(.notFound, "There is nothing at this path.")
    case .contentTooLarge: self.init(.tooLarge, "The body must not be larger than 1 MiB.")
    default: self.init(.malformedRequest, error.body ?? "The request cannot be read.")
    }
  }
}
