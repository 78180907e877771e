import Foundation
import HTTPTypes
import Hummingbird
import Logging
import Models

/// The context of every request of every service.
public struct ServiceContext: RequestContext {
  public var coreContext: CoreRequestContextStorage
  /// The id that the request has in every service it passes through.
  public var requestID: String
  /// The address of the other end of the connection; nil in tests without one.
  public let peer: String?

  public init(source: ApplicationRequestContextSource) {
    coreContext = .init(source: source)
    requestID = ""
    peer = source.channel.remoteAddress?.ipAddress
  }
}

/// A context that carries the request's id on to the next service.
public protocol TracedContext: RequestContext {
  var requestID: String { get }
}

extension ServiceContext: TracedContext {}

/// The context of a request whose caller is known. A handler that takes it cannot be reached by a stranger.
public struct CallerContext: TracedContext, ChildRequestContext {
  public var coreContext: CoreRequestContextStorage
  public let requestID: String
  public let caller: Caller
  /// Under which the same request may come again.
  public let idempotencyKey: String?
  /// What the caller may hold and consume; nil where the gateway did not say.
  public let limits: Limits?

  /// - Throws: `ServiceError` `unauthenticated` unless the gateway said for whom it asks.
  public init(context: CallerHeaderContext) throws {
    coreContext = context.coreContext
    requestID = context.requestID
    guard let caller = context.caller else {
      throw ServiceError(.unauthenticated, "This request names no caller.")
    }
    self.caller = caller
    idempotencyKey = context.idempotencyKey
    limits = context.limits
  }
}

/// The context between the check of the service's credential and that of the caller.
public struct CallerHeaderContext: TracedContext, ChildRequestContext {
  public var coreContext: CoreRequestContextStorage
  public let requestID: String
  var caller: Caller?
  var idempotencyKey: String?
  var limits: Limits?

  public init(context: ServiceContext) {
    coreContext = context.coreContext
    requestID = context.requestID
  }
}

extension HTTPField.Name {
  public static let requestID = HTTPField.Name("X-Request-Id")!
  /// On internal calls: the user id, and `admin` or `user`.
  public static let caller = HTTPField.Name("IaaS-Caller")!
  /// Where an operation that goes on can be watched.
  public static let operationLocation = HTTPField.Name("Operation-Location")!
  public static let prefer = HTTPField.Name("Prefer")!
  public static let idempotencyKey = HTTPField.Name("Idempotency-Key")!
  // draft-ietf-httpapi-ratelimit-headers-07: how many attempts there are, how many are left, and seconds until there are
  // some again.
  public static let rateLimitLimit = HTTPField.Name("RateLimit-Limit")!
  public static let rateLimitRemaining = HTTPField.Name("RateLimit-Remaining")!
  public static let rateLimitReset = HTTPField.Name("RateLimit-Reset")!
  /// The limits that are nearly reached by what was asked for.
  public static let quotaWarning = HTTPField.Name("IaaS-Quota-Warning")!
  /// On internal calls: what the caller may hold and consume.
  public static let limits = HTTPField.Name(Limits.header)!
}

extension Caller {
  /// As it stands in the header.
  public var headerValue: String { "\(user) \(admin ? "admin" : "user")" }

  public init?(headerValue: String) {
    let words = headerValue.split(separator: " ")
    guard words.count == 2, let user = UserID(String(words[0])), ["admin", "user"].contains(words[1]) else {
      return nil
    }
    self.init(user: user, admin: words[1] == "admin")
  }
}

/// Takes the caller from the header that the gateway set.
public struct CallerMiddleware: RouterMiddleware {
  public init() {}

  public func handle(
    _ request: Request, context: CallerHeaderContext,
    next: (Request, CallerHeaderContext) async throws -> Response
  ) async throws -> Response {
    var context = context
    context.caller = request.headers[.caller].flatMap(Caller.init(headerValue:))
    context.idempotencyKey = request.headers[.idempotencyKey]
    context.limits = try request.headers[.limits].map { try JSON.decoder.decode(Limits.self, from: Data($0.utf8)) }
    return try await next(request, context)
  }
}

extension RouterMethods where Context == ServiceContext {
  /// The routes that act for somebody.
  public func forCallers() -> RouterGroup<CallerContext> {
    group(context: CallerHeaderContext.self).add(middleware: CallerMiddleware()).group(context: CallerContext.self)
  }
}

extension RequestContext {
  /// The id in the path.
  /// - Throws: `not_found` when it is no id, the same as for an id that nothing has.
  public func id<Resource>(_ name: String, of kind: ResourceKind) throws -> Identifier<Resource> {
    guard let id = parameters.get(name).flatMap({ Identifier<Resource>($0) }) else { throw ServiceError.notFound(kind) }
    return id
  }

  /// A parameter of the path, percent-decoded.
  /// - Throws: `malformed_request` when it is not UTF-8, or has control characters.
  public func text(_ name: String) throws -> String {
    guard let text = parameters.get(name)?.removingPercentEncoding else {
      throw ServiceError(.malformedRequest, "The path is not percent-encoded UTF-8.")
    }
    guard !text.unicodeScalars.contains(where: { $0.properties.generalCategory == .control }) else {
      throw ServiceError(.malformedRequest, "The path must not contain control characters.")
    }
    return text
  }
}
