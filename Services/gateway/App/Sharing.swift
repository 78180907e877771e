import Clients
import Models

/// Sharing images and VMs: people are named by id or e-mail, and both stand in what is answered.
struct Sharing: Sendable {
  let auth: AuthClient
  let inventory: InventoryClient

  func list(of resource: String, _ origin: CallOrigin) async throws -> [Permission] {
    let permissions = try await inventory.shares(of: resource, origin)
    let names = try await auth.names(UserLookup(ids: permissions.map(\.user)), origin)
    let emails = Dictionary(names.map { ($0.id, $0.email) }, uniquingKeysWith: { first, _ in first })
    return permissions.map { permission in
      var permission = permission
      permission.email = emails[permission.user]
      return permission
    }
  }

  /// - Throws: `not_found`, `forbidden`, `conflict`; `invalid_field` for a user whom nobody knows.
  func share(_ resource: String, _ share: NewShare, _ origin: CallOrigin) async throws -> Permission {
    guard let user = try await user(share.user, origin) else {
      // Who exists is told only to those who may share the thing.
      _ = try await inventory.shares(of: resource, origin)
      throw ServiceError.invalid("user", "must be the id or the e-mail of a user.")
    }
    let grant = Grant(user: user.id, role: share.role, expiresAt: share.expiresAt)
    var permission = try await inventory.share(resource, grant, origin)
    permission.email = user.email
    return permission
  }

  /// - Parameter user: An id, also of someone who is no longer a user, or an e-mail.
  func unshare(_ resource: String, _ user: String, _ origin: CallOrigin) async throws {
    // With someone whom nobody knows it is not shared, which is told as it is for everyone else.
    let id = try await self.user(user, origin)?.id ?? UserID(user) ?? .make()
    try await inventory.unshare(resource, id, origin)
  }

  /// What looks like an id may still be an e-mail; the id comes first.
  private func user(_ text: String, _ origin: CallOrigin) async throws -> UserName? {
    let id = UserID(text)
    let found = try await auth.names(UserLookup(ids: id.map { [$0] } ?? [], emails: [text]), origin)
    return found.first { $0.id == id } ?? found.first
  }
}
