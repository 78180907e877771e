import Foundation
import Models
import Persistence

/// All that this service holds about a person, without secrets.
struct PersonalData: Sendable {
  let users: UserStore
  let sessions: SessionStore
  let audit: AuditStore

  struct Export: Codable, Sendable {
    let user: User
    let sessions: [Session]
    let audit: [AuditEntry]
  }

  /// - Throws: `not_found`, also for a user whom the caller may not see.
  func export(_ id: UserID, _ caller: Caller) async throws -> Export {
    guard caller.admin || caller.user == id, let user = try await users.get(id) else {
      throw ServiceError.notFound(.user)
    }
    return Export(
      user: user, sessions: try await sessions.list(of: id), audit: try await audit.listing(of: id).all())
  }
}
