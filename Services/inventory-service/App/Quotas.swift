import Models

/// Who may see what people hold, and say how much they may.
struct Quotas: Sendable {
  let store: QuotaStore

  /// - Throws: `not_found` for someone whom the caller may not see.
  func usage(of user: UserID, in month: Month?, _ caller: Caller) async throws -> Usage {
    guard caller.admin || caller.user == user else { throw ServiceError.notFound(.user) }
    return try await store.usage(of: user, in: month)
  }

  /// - Throws: `forbidden`.
  func usages(in month: Month?, _ caller: Caller) async throws -> [Usage] {
    try caller.requireAdministrator(to: "see what everyone uses")
    return try await store.usages(in: month)
  }

  /// What somebody came near to, the latest 100.
  /// - Throws: `not_found` for someone whom the caller may not see.
  func events(of user: UserID, _ caller: Caller) async throws -> [QuotaEvent] {
    guard caller.admin || caller.user == user else { throw ServiceError.notFound(.user) }
    return try await store.events(of: user, limit: Self.eventLimit)
  }

  /// The same of everyone.
  /// - Throws: `forbidden`.
  func events(_ caller: Caller) async throws -> [QuotaEvent] {
    try caller.requireAdministrator(to: "see what everyone uses")
    return try await store.events(of: nil, limit: Self.eventLimit)
  }

  private static let eventLimit = 100

  /// - Throws: `forbidden`.
  func limit(_ user: UserID, _ limits: Limits, _ caller: Caller) async throws {
    try caller.requireAdministrator(to: "set quotas")
    try await store.limit(user, limits)
  }
}
