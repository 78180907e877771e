import Foundation
import Models

/// Log-in, log-out, and the question whether a token is good.
struct Authentication: Sendable {
  let users: UserStore
  let sessions: SessionStore
  let hasher: PasswordHasher
  let tokens: TokenSealer
  /// Seconds a session lasts at most.
  let sessionLifetime: Int

  private static let refused = ServiceError(.invalidCredentials, "E-mail or password is wrong.")
  private static let longestPassword = 1024

  /// - Throws: `invalid_credentials`, alike in words and time for an unknown account and for a wrong password.
  func logIn(_ request: LoginRequest) async throws -> IssuedToken {
    guard request.password.utf8.count <= Self.longestPassword, !request.email.contains("\0") else { throw Self.refused }
    let found = try await users.credentials(email: request.email)
    guard try await hasher.verify(request.password, against: found?.hash), let found else { throw Self.refused }
    if hasher.isOutdated(found.hash) {
      try await users.updateHash(try await hasher.hash(request.password), of: found.user.id)
    }
    let session = try await sessions.open(for: found.user.id, lifetimeSeconds: sessionLifetime)
    let token = try tokens.seal(
      TokenContent(
        user: found.user.id, session: session.id, authenticatedAt: Int64(session.createdAt.timeIntervalSince1970),
        expiresAt: Int64(session.expiresAt.timeIntervalSince1970)))
    return IssuedToken(token: token)
  }

  /// - Throws: `unauthenticated`, whatever is wrong with the token.
  func verify(_ token: String) async throws -> VerifiedSession {
    guard let content = tokens.open(token, now: Date()),
      let verified = try await sessions.verify(content.session, of: content.user)
    else { throw ServiceError(.unauthenticated, "The token is not valid, or its session has ended. Log in again.") }
    return verified
  }

  func logOut(_ session: SessionID, of caller: Caller) async throws {
    guard try await sessions.end(session, of: caller.user) else { throw ServiceError.notFound(.session) }
  }
}
