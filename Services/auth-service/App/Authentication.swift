import Foundation
import Models
import ServiceKit

/// Log-in, log-out, and the question whether a token is good.
struct Authentication: Sendable {
  let users: UserStore
  let sessions: SessionStore
  let hasher: PasswordHasher
  let tokens: TokenSealer
  let attempts: LoginGuard
  let secondFactor: SecondFactor
  let audit: AuditStore

  private static let refused = ServiceError(.invalidCredentials, "E-mail or password is wrong.")

  /// - Throws: `invalid_credentials`, alike in words and time for an account that is unknown or disabled and for a wrong
  ///   password; `otp_required` when only the second factor is lacking; `too_many_requests`; `unavailable`.
  func logIn(_ visit: Visit<LoginRequest>, requestID: String) async throws -> IssuedToken {
    var account: UserID?
    do {
      let token = try await open(visit, account: &account)
      try await note(visit, actor: account, resource: nil, status: 201, requestID)
      return token
    } catch {
      let status = ServiceError.of(error).code.status.code
      // Nobody has logged in: whose account was tried is the resource.
      try? await note(visit, actor: nil, resource: account, status: status, requestID)
      throw error
    }
  }

  private func open(_ visit: Visit<LoginRequest>, account: inout UserID?) async throws -> IssuedToken {
    let request = visit.request
    guard request.password.utf8.count <= longestPassword, !request.email.contains("\0"), request.email.count <= 255
    else { throw Self.refused }
    try await attempts.begin(account: request.email, address: visit.address)
    let found = try await users.credentials(email: request.email)
    account = found?.user.id
    let fits = try await hasher.verify(request.password, against: found?.hash)
    guard fits, var (user, hash) = found, !user.disabled else { throw Self.refused }
    if user.totp {
      guard let otp = request.otp else {
        throw ServiceError(.otpRequired, "Send the code of the second factor as `otp`.")
      }
      try await secondFactor.use(otp, of: user.id)
    }
    if hasher.isOutdated(hash) {
      let better = try await hasher.hash(request.password)
      try await users.updateHash(better, of: user.id, instead: hash)
      hash = better
    }
    guard let session = try await sessions.open(for: user.id, hash: hash, address: visit.address, client: visit.client)
    else { throw Self.refused }
    try await attempts.succeed(account: request.email, address: visit.address)
    user.lastLoginAt = session.createdAt
    return IssuedToken(
      token: try tokens.seal(
        TokenContent(
          user: user.id, session: session.id, authenticatedAt: Int64(session.createdAt.timeIntervalSince1970),
          expiresAt: Int64(session.expiresAt.timeIntervalSince1970))))
  }

  private func note(
    _ visit: Visit<LoginRequest>, actor: UserID?, resource: UserID?, status: Int, _ requestID: String
  ) async throws {
    try await audit.insert(
      AuditIntent(
        action: "POST /iaas/sessions", resource: resource.map { UUIDText($0.uuid) }, address: visit.address,
        requestID: requestID), actor: actor, status: status)
  }

  /// - Throws: `unauthenticated`, whatever is wrong with the token.
  func verify(_ presented: Presented) async throws -> VerifiedSession {
    guard let content = tokens.open(presented.token, now: Date()),
      let verified = try await sessions.verify(content.session, of: content.user, presented.intent)
    else { throw ServiceError(.unauthenticated, "The token is not valid, or its session has ended. Log in again.") }
    return verified
  }

  func list(_ caller: Caller) async throws -> [Session] { try await sessions.list(of: caller.user) }

  func logOut(_ session: SessionID, of caller: Caller) async throws {
    guard try await sessions.end(session, of: caller.user) else { throw ServiceError.notFound(.session) }
  }
}
