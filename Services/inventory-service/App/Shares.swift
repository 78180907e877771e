import Foundation
import Models
import Persistence

/// Giving and taking back permissions.
struct Shares: Sendable {
  let store: ShareStore

  func list(on resource: SharedResource, _ caller: Caller) async throws -> [Permission] {
    try await store.list(on: resource, caller)
  }

  func grant(
    _ grant: Grant, on resource: SharedResource, _ origin: RequestOrigin
  ) async throws -> Permission {
    try await store.grant(grant, on: resource, origin)
  }

  func revoke(_ user: UserID, on resource: SharedResource, _ origin: RequestOrigin) async throws {
    try await store.revoke(user, on: resource, origin)
  }

  /// Takes all that a user may do, and removes what they alone own.
  /// - Throws: `forbidden`.
  func forget(_ user: UserID, _ origin: RequestOrigin) async throws {
    try origin.caller.requireAdministrator(to: "manage users")
    try await store.forget(user, origin)
  }
}
