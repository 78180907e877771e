import Clients
import Foundation
import HTTPTypes
import Hummingbird
import Models
import ServiceKit

/// From where a request comes. A proxy's word is taken only from the proxies of the configuration.
struct Visitor: Sendable {
  let address: String?
  let client: String?

  init(_ request: Request, peer: String?, proxies: [AddressRange]) {
    address = Self.address(request, peer: peer, proxies: proxies)
    client = request.headers[.userAgent].map { Text.printable($0, limit: 200) }
  }

  /// The address that the last of our proxies saw: the last in the list that is not one of them (RFC 7239, 5.2).
  private static func address(_ request: Request, peer: String?, proxies: [AddressRange]) -> String? {
    func isProxy(_ text: String) -> Bool {
      IPAddress(text).map { address in proxies.contains { $0.contains(address.unmapped) } } ?? false
    }
    guard let peer, isProxy(peer) else { return peer }
    let hops = request.headers[values: .xForwardedFor].joined(separator: ",").split(separator: ",")
      .map { $0.trimmingCharacters(in: .whitespaces) }
    guard let address = hops.last(where: { !isProxy($0) }), IPAddress(address) != nil else { return peer }
    return address
  }
}

extension HTTPField.Name {
  static let xForwardedFor = HTTPField.Name("X-Forwarded-For")!
}

/// The context of a request whose sender has logged in. A handler that takes it cannot be reached by a stranger.
struct SessionContext: TracedContext, ChildRequestContext {
  var coreContext: CoreRequestContextStorage
  let requestID: String
  let verified: VerifiedSession
  private let idempotencyKey: String?
  private let limits: Limits?

  init(context: TokenContext) throws {
    coreContext = context.coreContext
    idempotencyKey = context.idempotencyKey
    limits = context.limits
    requestID = context.requestID
    guard let verified = context.verified else { throw TokenMiddleware.missing }
    self.verified = verified
  }

  /// For whom the next service is called.
  var origin: CallOrigin {
    CallOrigin(
      requestID: requestID, caller: Caller(user: verified.user.id, admin: verified.user.admin),
      idempotencyKey: idempotencyKey, limits: limits)
  }
}

/// The context between the reading of the token and the certainty that there is one.
struct TokenContext: TracedContext, ChildRequestContext {
  var coreContext: CoreRequestContextStorage
  let requestID: String
  let peer: String?
  var verified: VerifiedSession?
  var idempotencyKey: String?
  var limits: Limits?

  init(context: ServiceContext) {
    coreContext = context.coreContext
    requestID = context.requestID
    peer = context.peer
  }
}

/// Has the token verified, for every request anew: a session that has ended is refused from that moment on. What changes
/// something is noted in the audit log before it is done, and again when it is.
struct TokenMiddleware: RouterMiddleware {
  let auth: AuthClient
  let proxies: [AddressRange]
  let quotas: QuotaPolicy

  static let missing = ServiceError(.unauthenticated, "Log in (POST /iaas/sessions) and send the token.")

  func handle(
    _ request: Request, context: TokenContext, next: (Request, TokenContext) async throws -> Response
  ) async throws -> Response {
    let headers = request.headers[values: .authorization]
    guard headers.count <= 1 else { throw ServiceError(.malformedRequest, "Send one Authorization header.") }
    guard let token = headers.first.flatMap(Self.token) else { throw Self.missing }
    var context = context
    let origin = CallOrigin(requestID: context.requestID)
    let visitor = Visitor(request, peer: context.peer, proxies: proxies)
    let intent = request.method == .get ? nil : Self.intent(request, context, visitor)
    let verified = try await auth.verify(Presented(token: token, intent: intent), origin)
    context.verified = verified
    if request.method != .get {
      context.limits = quotas.limits(of: verified.user, revision: verified.quotaRevision)
    }
    if request.method == .post { context.idempotencyKey = request.headers[.idempotencyKey] }
    guard let audit = verified.audit else { return try await next(request, context) }
    return try await AuditTrail(auth: auth, audit: audit, origin: origin, logger: context.logger).follow {
      try await next(request, context)
    }
  }

  /// The verb, the route and the id in the path; nothing of what was sent.
  static func intent(_ request: Request, _ context: some TracedContext, _ visitor: Visitor) -> AuditIntent {
    let route = context.endpointPath ?? Text.printable(request.uri.path, limit: 100)
    let ids = context.parameters.compactMap { UUIDText(String($0.value)) }
    return AuditIntent(
      action: "\(request.method.rawValue) \(route)", resource: ids.first, address: visitor.address,
      requestID: context.requestID)
  }

  /// The token as clients send it: bare, after `Bearer`, and in a pair of single or double quotes.
  static func token(in header: String) -> String? {
    var text = header.trimmingCharacters(in: .whitespaces)
    func unquote() {
      for quote in ["'", "\""] where text.count >= 2 && text.hasPrefix(quote) && text.hasSuffix(quote) {
        text = String(text.dropFirst().dropLast())
      }
    }
    unquote()
    let words = text.split(separator: " ", maxSplits: 1)
    if words.first?.lowercased() == "bearer" {
      text = words.count == 2 ? words[1].trimmingCharacters(in: .whitespaces) : ""
    }
    unquote()
    return text.isEmpty || text.utf8.count > 4096 ? nil : text
  }
}

extension RouterMethods where Context == ServiceContext {
  /// The routes that need a session.
  func forSessions(_ tokens: TokenMiddleware) -> RouterGroup<SessionContext> {
    group(context: TokenContext.self).add(middleware: tokens).group(context: SessionContext.self)
  }
}
