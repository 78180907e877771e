import Crypto
import Foundation
import Models
import Persistence

/// Codes with which people make accounts for themselves, each once.
struct Invitations: Sendable {
  let store: InvitationStore

  private static let lifetime: TimeInterval = 7 * 86_400

  /// - Returns: The invitation with its code, which is not kept.
  func add(_ request: NewInvitation, _ caller: Caller) async throws -> Invitation {
    try caller.requireAdministrator(to: "invite")
    let code = TOTP.base32(Data((0..<15).map { _ in UInt8.random(in: .min ... .max) }))
    var invitation = try await store.insert(
      digest: Self.digest(code), by: caller.user,
      expiresAt: request.expiresAt ?? Date().addingTimeInterval(Self.lifetime))
    invitation.code = code
    return invitation
  }

  func list(_ caller: Caller) throws -> Listing<Invitation> {
    try caller.requireAdministrator(to: "invite")
    return store.listing()
  }

  func remove(_ id: InvitationID, _ caller: Caller) async throws {
    try caller.requireAdministrator(to: "invite")
    try await store.delete(id)
  }

  static func digest(_ code: String) -> Data {
    Data(SHA256.hash(data: Data(code.trimmingCharacters(in: .whitespaces).uppercased().utf8)))
  }
}
