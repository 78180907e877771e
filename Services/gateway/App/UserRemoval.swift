import Clients
import Models

/// Removing a user touches two services.
struct UserRemoval: Sendable {
  let auth: AuthClient
  let inventory: InventoryClient

  /// - Throws: `forbidden`, `not_found`; `conflict` for the last administrator, and while the user owns something that
  ///   nobody else owns, so that nothing is left without an owner.
  func remove(_ id: UserID, _ origin: CallOrigin) async throws {
    try await auth.requireRemovable(id, origin)
    try await inventory.forgetShares(of: id, origin)
    try await auth.remove(id, origin)
  }
}
