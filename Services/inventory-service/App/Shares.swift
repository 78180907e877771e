import Foundation
import Models

/// Giving and taking back permissions.
struct Shares: Sendable {
  let store: ShareStore

  func list(on resource: SharedResource, _ caller: Caller) async throws -> [Permission] {
    try await store.list(on: resource, caller)
  }

  func grant(
    _ grant: Grant, on resource: SharedResource, _ caller: Caller
  ) async throws -> (permission: Permission, isNew: Bool) {
    try await store.grant(grant, on: resource, caller)
  }

  func revoke(_ user: UserID, on resource: SharedResource, _ caller: Caller) async throws {
    try await store.revoke(user, on: resource, caller)
  }

  /// Takes all that a user may do, and removes what they alone own.
  /// - Throws: `forbidden`.
  func forget(_ user: UserID, _ caller: Caller, requestID: String) async throws {
    try caller.requireAdministrator(to: "manage users")
    try await store.forget(user, caller, requestID: requestID)
  }
}
