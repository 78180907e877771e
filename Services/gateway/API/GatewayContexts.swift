import Clients
import Foundation
import HTTPTypes
import Hummingbird
import Models
import ServiceKit

/// The context of a request whose sender has logged in. A handler that takes it cannot be reached by a stranger.
struct SessionContext: TracedContext, ChildRequestContext {
  var coreContext: CoreRequestContextStorage
  let requestID: String
  let verified: VerifiedSession

  init(context: TokenContext) throws {
    coreContext = context.coreContext
    requestID = context.requestID
    guard let verified = context.verified else { throw TokenMiddleware.missing }
    self.verified = verified
  }

  /// For whom the next service is called.
  var origin: CallOrigin {
    CallOrigin(requestID: requestID, caller: Caller(user: verified.user.id, admin: verified.user.admin))
  }
}

/// The context between the reading of the token and the certainty that there is one.
struct TokenContext: TracedContext, ChildRequestContext {
  var coreContext: CoreRequestContextStorage
  let requestID: String
  var verified: VerifiedSession?

  init(context: ServiceContext) {
    coreContext = context.coreContext
    requestID = context.requestID
  }
}

/// Has the token verified, for every request anew: a session that has ended is refused from that moment on.
struct TokenMiddleware: RouterMiddleware {
  let auth: AuthClient

  static let missing = ServiceError(.unauthenticated, "Log in (POST /iaas/sessions) and send the token.")

  func handle(
    _ request: Request, context: TokenContext, next: (Request, TokenContext) async throws -> Response
  ) async throws -> Response {
    let headers = request.headers[values: .authorization]
    guard headers.count <= 1 else { throw ServiceError(.malformedRequest, "Send one Authorization header.") }
    guard let token = headers.first.flatMap(Self.token) else { throw Self.missing }
    var context = context
    context.verified = try await auth.verify(token: token, CallOrigin(requestID: context.requestID))
    return try await next(request, context)
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
  func forSessions(_ auth: AuthClient) -> RouterGroup<SessionContext> {
    group(context: TokenContext.self).add(middleware: TokenMiddleware(auth: auth)).group(context: SessionContext.self)
  }
}
