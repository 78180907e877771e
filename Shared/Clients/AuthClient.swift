import AsyncHTTPClient
import Models

import struct Foundation.Data

/// Calls auth-service.
public struct AuthClient: Sendable {
  private let peer: ServicePeer

  public init(peer: ServicePeer) { self.peer = peer }

  public func logIn(_ visit: Visit<LoginRequest>, _ origin: CallOrigin) async throws -> IssuedToken {
    try await peer.call(.POST, "/v1/sessions", origin: origin, body: visit)
  }

  public func verify(_ presented: Presented, _ origin: CallOrigin) async throws -> VerifiedSession {
    try await peer.call(.POST, "/v1/sessions/verify", origin: origin, body: presented)
  }

  public func sessions(_ origin: CallOrigin) async throws -> [Session] {
    try await peer.call(.GET, "/v1/sessions", origin: origin)
  }

  public func logOut(_ session: SessionID, _ origin: CallOrigin) async throws {
    try await peer.call(.DELETE, "/v1/sessions/\(session)", origin: origin)
  }

  /// Makes an account for someone who has none.
  public func register(_ visit: Visit<NewUser>, _ origin: CallOrigin) async throws -> User {
    try await peer.call(.POST, "/v1/registrations", origin: origin, body: visit)
  }

  /// Notes what came of it.
  public func conclude(_ audit: AuditID, _ conclusion: AuditConclusion, _ origin: CallOrigin) async throws {
    try await peer.call(.PUT, "/v1/audit/\(audit)", origin: origin, body: conclusion)
  }

  /// A list as it comes.
  /// - Parameter path: The list's, with its parameters.
  public func list(_ path: String, _ origin: CallOrigin) async throws -> HTTPClientResponse {
    try await peer.open("/v1/\(path)", origin: origin)
  }

  /// The users of ids and e-mails; those that nobody has are left out.
  public func names(_ lookup: UserLookup, _ origin: CallOrigin) async throws -> [UserName] {
    try await peer.call(.POST, "/v1/users/lookup", origin: origin, body: lookup)
  }

  public func user(_ id: UserID, _ origin: CallOrigin) async throws -> User {
    try await peer.call(.GET, "/v1/users/\(id)", origin: origin)
  }

  public func add(_ user: NewUser, _ origin: CallOrigin) async throws -> User {
    try await peer.call(.POST, "/v1/users", origin: origin, body: user)
  }

  public func update(_ id: UserID, _ update: UserUpdate, _ origin: CallOrigin) async throws -> ChangedUser {
    try await peer.call(.PUT, "/v1/users/\(id)", origin: origin, body: update)
  }

  /// Ends all that a user can do, before what they own is removed.
  /// - Throws: `forbidden`, `not_found`; `conflict` for the last administrator.
  public func disable(_ id: UserID, _ origin: CallOrigin) async throws {
    try await peer.call(.POST, "/v1/users/\(id)/disable", origin: origin)
  }

  /// All that auth-service holds about a user, as a JSON object.
  public func export(_ id: UserID, _ origin: CallOrigin) async throws -> Data {
    try await peer.data("/v1/users/\(id)/export", origin: origin)
  }

  public func enrolSecondFactor(_ id: UserID, _ request: TOTPRequest, _ origin: CallOrigin) async throws
    -> TOTPEnrolment
  {
    try await peer.call(.POST, "/v1/users/\(id)/totp", origin: origin, body: request)
  }

  public func confirmSecondFactor(_ id: UserID, _ proof: TOTPProof, _ origin: CallOrigin) async throws -> RecoveryCodes
  {
    try await peer.call(.PUT, "/v1/users/\(id)/totp", origin: origin, body: proof)
  }

  public func removeSecondFactor(_ id: UserID, _ proof: TOTPProof?, _ origin: CallOrigin) async throws {
    try await peer.call(.DELETE, "/v1/users/\(id)/totp", origin: origin, body: proof)
  }

  public func invite(_ invitation: NewInvitation, _ origin: CallOrigin) async throws -> Invitation {
    try await peer.call(.POST, "/v1/invitations", origin: origin, body: invitation)
  }

  public func removeInvitation(_ id: InvitationID, _ origin: CallOrigin) async throws {
    try await peer.call(.DELETE, "/v1/invitations/\(id)", origin: origin)
  }

  public func remove(_ id: UserID, _ origin: CallOrigin) async throws {
    try await peer.call(.DELETE, "/v1/users/\(id)", origin: origin)
  }

  /// Whether it can serve: it answers, and has its database.
  public func isReady(_ origin: CallOrigin) async -> Bool {
    (try? await peer.call(.GET, "/ready", origin: origin, seconds: 4)) != nil
  }
}
