import Foundation
import Models
import Persistence

import struct Models.Operation

/// All that this service holds about a person: what they may see, what they may do, what they asked for and consumed.
struct PersonalData: Sendable {
  let images: ImageStore
  let vms: VMStore
  let shares: ShareStore
  let keys: SSHKeyStore
  let operations: OperationStore
  let quotas: QuotaStore

  struct Export: Encodable, Sendable {
    let images: [Image]
    let vms: [VM]
    let permissions: [Permission]
    let keys: [SSHKey]
    let operations: [Operation]
    let usage: [Usage]
  }

  /// - Throws: `not_found` for someone whom the caller may not see.
  func export(_ id: UserID, _ caller: Caller) async throws -> Export {
    guard caller.admin || caller.user == id else { throw ServiceError.notFound(.user) }
    let person = Caller(user: id, admin: false)
    return Export(
      images: try await images.listing(person).all(), vms: try await vms.listing(person).all(),
      permissions: try await shares.list(of: id), keys: try await keys.listing(person).all(),
      operations: try await operations.listing(person).all(), usage: try await quotas.history(of: id))
  }
}
