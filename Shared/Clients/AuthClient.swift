import AsyncHTTPClient
import Models

/// Calls auth-service.
public struct AuthClient: Sendable {
  private let peer: ServicePeer

  public init(peer: ServicePeer) { self.peer = peer }

  public func logIn(_ request: LoginRequest, _ origin: CallOrigin) async throws -> IssuedToken {
    try await peer.call(.POST, "/v1/sessions", origin: origin, body: request)
  }

  public func verify(token: String, _ origin: CallOrigin) async throws -> VerifiedSession {
    try await peer.call(.POST, "/v1/sessions/verify", origin: origin, body: ["token": token])
  }

  public func logOut(_ session: SessionID, _ origin: CallOrigin) async throws {
    try await peer.call(.DELETE, "/v1/sessions/\(session)", origin: origin)
  }

  /// The list of users as it comes.
  /// - Parameter path: The list's, with its parameters.
  public func list(_ path: String, _ origin: CallOrigin) async throws -> HTTPClientResponse {
    try await peer.open("/v1/\(path)", origin: origin)
  }

  /// The users of ids and e-mails; those that nobody has are left out.
  public func names(_ lookup: UserLookup, _ origin: CallOrigin) async throws -> [UserName] {
    try await peer.call(.POST, "/v1/users/lookup", origin: origin, body: lookup)
  }

  /// - Throws: `not_found`, `forbidden`; `conflict` for the last administrator.
  public func requireRemovable(_ id: UserID, _ origin: CallOrigin) async throws {
    try await peer.call(.GET, "/v1/users/\(id)/removable", origin: origin)
  }

  public func user(_ id: UserID, _ origin: CallOrigin) async throws -> User {
    try await peer.call(.GET, "/v1/users/\(id)", origin: origin)
  }

  public func add(_ user: NewUser, _ origin: CallOrigin) async throws -> User {
    try await peer.call(.POST, "/v1/users", origin: origin, body: user)
  }

  public func remove(_ id: UserID, _ origin: CallOrigin) async throws {
    try await peer.call(.DELETE, "/v1/users/\(id)", origin: origin)
  }

  /// Whether it can serve: it answers, and has its database.
  public func isReady(_ origin: CallOrigin) async -> Bool {
    (try? await peer.call(.GET, "/ready", origin: origin, seconds: 4)) != nil
  }
}
