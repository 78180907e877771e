import Clients
import Models

/// Removing a user touches two services. Each step may be done twice, so that whoever asks again finishes what was cut off;
/// meanwhile the account is disabled.
struct UserRemoval: Sendable {
  let auth: AuthClient
  let inventory: InventoryClient

  /// Ends the user's sessions, removes what they alone own, and then the account.
  /// - Throws: `forbidden`, `not_found`; `conflict` for the last administrator.
  func remove(_ id: UserID, _ origin: CallOrigin) async throws {
    try await auth.disable(id, origin)
    try await inventory.forget(id, origin)
    try await auth.remove(id, origin)
  }
}
