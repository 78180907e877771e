import Clients
import Models

/// Removing a user touches two services.
struct UserRemoval: Sendable {
  let auth: AuthClient
  let inventory: InventoryClient

  /// - Throws: `conflict` while the user owns something, so that nothing is left without an owner.
  func remove(_ id: UserID, _ origin: CallOrigin) async throws {
    guard origin.caller?.admin == true else {
      throw ServiceError(.forbidden, "Only administrators manage users.")
    }
    let holdings = try await inventory.holdings(of: id, origin)
    guard holdings.images == 0, holdings.vms == 0 else {
      throw ServiceError(
        .conflict, "The user owns \(holdings.vms) VMs and \(holdings.images) images; remove them first.")
    }
    try await auth.remove(id, origin)
  }
}
