import Foundation
import Logging
import Models
import Persistence

/// Who may see, add and remove users.
struct Accounts: Sendable {
  let users: UserStore
  let hasher: PasswordHasher

  func list(_ caller: Caller) -> Listing<User> { users.listing(caller) }

  /// For those who share something: whoever logs in may find others by id or e-mail, one by one.
  func names(_ lookup: UserLookup) async throws -> [UserName] { try await users.names(lookup) }

  /// - Throws: `forbidden`, `not_found`; `conflict` for the last administrator.
  func requireRemovable(_ id: UserID, _ caller: Caller) async throws {
    try requireAdministrator(caller)
    try await users.requireRemovable(id)
  }

  /// - Throws: `not_found`, also for a user whom the caller may not see.
  func get(_ id: UserID, _ caller: Caller) async throws -> User {
    guard caller.admin || caller.user == id, let user = try await users.get(id) else {
      throw ServiceError.notFound(.user)
    }
    return user
  }

  func add(_ request: NewUser, _ caller: Caller) async throws -> User {
    try requireAdministrator(caller)
    return try await users.insert(
      email: request.email, hash: try await hasher.hash(request.password), admin: request.admin)
  }

  func remove(_ id: UserID, _ caller: Caller) async throws {
    try requireAdministrator(caller)
    try await users.delete(id)
  }

  /// Adds the administrator of the configuration to an empty installation.
  /// - Parameter password: Nil makes a random one, which is returned once and kept nowhere.
  func addFirst(email: String, password: String?) async throws -> String? {
    guard try await users.isEmpty() else { return nil }
    let alphabet = Array("abcdefghijkmnpqrstuvwxyzABCDEFGHJKLMNPQRSTUVWXYZ23456789")
    var generator = SystemRandomNumberGenerator()
    let chosen = password ?? String((0..<20).map { _ in alphabet.randomElement(using: &generator) ?? "x" })
    let added = try await users.insertFirst(email: email, hash: try await hasher.hash(chosen))
    return added && password == nil ? chosen : nil
  }

  /// - Throws: When the database cannot be reached.
  func checkDatabase() async throws { _ = try await users.isEmpty() }

  private func requireAdministrator(_ caller: Caller) throws {
    guard caller.admin else { throw ServiceError(.forbidden, "Only administrators manage users.") }
  }
}
