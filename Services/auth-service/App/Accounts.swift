import Crypto
import Foundation
import Logging
import Models
import Persistence

/// Who may make accounts for themselves.
enum RegistrationMode: String, CaseIterable, Sendable { case open, invite, closed }

/// Who may see, add, change and remove users.
struct Accounts: Sendable {
  let users: UserStore
  let hasher: PasswordHasher
  let policy: PasswordPolicy
  let attempts: LoginGuard
  let secondFactor: SecondFactor
  let registration: RegistrationMode

  func list(_ caller: Caller) -> Listing<User> { users.listing(caller) }

  /// For those who share something: whoever logs in may find others by id or e-mail, one by one.
  func names(_ lookup: UserLookup) async throws -> [UserName] { try await users.names(lookup) }

  /// - Throws: `not_found`, also for a user whom the caller may not see.
  func get(_ id: UserID, _ caller: Caller) async throws -> User {
    guard caller.admin || caller.user == id, let user = try await users.get(id) else {
      throw ServiceError.notFound(.user)
    }
    return user
  }

  func add(_ request: NewUser, _ origin: RequestOrigin) async throws -> User {
    try origin.caller.requireAdministrator(to: "manage users")
    guard request.invitation == nil else { throw ServiceError.invalid("invitation", "is for those who register.") }
    var record = UserRecord(email: request.email, hash: "", admin: request.admin, quota: request.quota ?? Quota())
    if let user = try await users.answered(record, origin) { return user }
    if let imported = request.passwordHash {
      guard PasswordHasher.isKnown(imported) else {
        throw ServiceError.invalid("passwordHash", "must be an Argon2id or PBKDF2-SHA256 string in PHC's form.")
      }
      record.hash = imported
    } else {
      record.hash = try await checkedHash(of: request.password ?? "", email: request.email)
    }
    return try await users.insert(record, origin)
  }

  /// Makes an account for someone who has none.
  /// - Throws: `unauthenticated` where only administrators make accounts; `forbidden` without an invitation that holds.
  func register(_ visit: Visit<NewUser>) async throws -> User {
    let request = visit.request
    guard registration != .closed else {
      throw ServiceError(.unauthenticated, "Log in (POST /iaas/sessions) and send the token.")
    }
    try await attempts.beginRegistration(from: visit.address)
    guard registration == .open || request.invitation != nil else {
      throw ServiceError(.forbidden, "An account needs an invitation here; send its code as `invitation`.")
    }
    guard !request.admin, request.quota == nil, request.passwordHash == nil else {
      throw ServiceError(.forbidden, "Only administrators set admin, quota and passwordHash.")
    }
    let hash = try await checkedHash(of: request.password ?? "", email: request.email)
    let record = UserRecord(email: request.email, hash: hash)
    guard let invitation = request.invitation else { return try await users.insert(record, nil) }
    return try await users.insert(record, invitation: Invitations.digest(invitation))
  }

  /// People change their own e-mail and password, giving their present password; all else is an administrator's.
  /// - Throws: `not_found`, `forbidden`, `invalid_field`, `invalid_credentials`, `conflict`.
  func update(_ id: UserID, _ update: UserUpdate, _ caller: Caller) async throws -> ChangedUser {
    let isOwn = caller.user == id
    guard caller.admin || isOwn, let (user, oldHash) = try await users.credentials(of: id) else {
      throw ServiceError.notFound(.user)
    }
    if !caller.admin {
      let reserved = [
        ("admin", update.admin != nil), ("disabled", update.disabled != nil), ("quota", update.quota != nil),
      ]
      if let field = reserved.first(where: \.1)?.0 {
        throw ServiceError(.forbidden, "Only administrators set \(field).")
      }
    }
    let provesIdentity = isOwn && (update.email != nil || update.password != nil)
    if provesIdentity { try await prove(update.currentPassword, of: user, oldHash) }
    var hash: String?
    if let password = update.password {
      hash = try await checkedHash(of: password, email: update.email ?? user.email)
    }
    return try await users.update(id, update, hash: hash, expectedHash: provesIdentity ? oldHash : nil)
  }

  /// Whoever holds only a token must not take the account over, nor guess the password by it.
  private func prove(_ password: String?, of user: User, _ hash: String) async throws {
    guard let password else { throw ServiceError.invalid("currentPassword", "must be given.") }
    try await attempts.begin(account: user.email, address: nil)
    guard password.utf8.count <= longestPassword, try await hasher.verify(password, against: hash) else {
      throw ServiceError(.forbidden, "The present password is wrong.")
    }
    try await attempts.succeed(account: user.email, address: nil)
  }

  /// - Throws: `not_found`, `forbidden`, `conflict`.
  func enrolSecondFactor(_ id: UserID, _ request: TOTPRequest, _ caller: Caller) async throws -> TOTPEnrolment {
    let (user, hash) = try await own(id, caller)
    try await prove(request.currentPassword, of: user, hash)
    return try await secondFactor.enrol(id, email: user.email)
  }

  func confirmSecondFactor(_ id: UserID, _ proof: TOTPProof, _ caller: Caller) async throws -> RecoveryCodes {
    let (user, _) = try await own(id, caller)
    try await attempts.begin(account: user.email, address: nil)
    let codes = try await Self.refusingByRight { try await secondFactor.confirm(id, code: proof.otp) }
    try await attempts.succeed(account: user.email, address: nil)
    return codes
  }

  /// People take their own away by a code of it, administrators that of others without.
  func removeSecondFactor(_ id: UserID, _ proof: TOTPProof?, _ caller: Caller) async throws {
    let user = try await get(id, caller)
    if caller.user == id, user.totp {
      guard let proof else { throw ServiceError.invalid("otp", "must be given.") }
      try await attempts.begin(account: user.email, address: nil)
      try await Self.refusingByRight { try await secondFactor.use(proof.otp, of: id) }
      try await attempts.succeed(account: user.email, address: nil)
    }
    try await secondFactor.remove(from: id)
  }

  /// A wrong code is no reason to think that the token is bad.
  private static func refusingByRight<Value>(_ body: () async throws -> Value) async throws -> Value {
    do { return try await body() } catch let error as ServiceError where error.code == .invalidCredentials {
      throw ServiceError(.forbidden, error.message)
    }
  }

  private func own(_ id: UserID, _ caller: Caller) async throws -> (user: User, hash: String) {
    guard caller.admin || caller.user == id, let found = try await users.credentials(of: id) else {
      throw ServiceError.notFound(.user)
    }
    guard caller.user == id else { throw ServiceError(.forbidden, "A second factor is its owner's to begin with.") }
    return found
  }

  /// Ends all that the user can do, before what they own is removed.
  /// - Throws: `forbidden`, `not_found`; `conflict` for the last administrator.
  func disable(_ id: UserID, _ caller: Caller) async throws {
    try caller.requireAdministrator(to: "manage users")
    _ = try await users.update(id, UserUpdate(disabled: true), hash: nil, expectedHash: nil)
  }

  func remove(_ id: UserID, _ caller: Caller) async throws {
    try caller.requireAdministrator(to: "manage users")
    try await users.delete(id)
  }

  /// Adds the administrator of the configuration to an empty installation; their password is not held to the policy.
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

  private func checkedHash(of password: String, email: String) async throws -> String {
    try policy.check(password, email: email)
    return try await hasher.hash(password)
  }
}
