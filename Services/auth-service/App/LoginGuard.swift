import Foundation
import Models
import ServiceKit

/// Counts attempts to log in before the password is looked at, so that many at once are no way around it. Whoever fails
/// often waits ever longer, by account and by address, whether or not there is such an account.
struct LoginGuard: Sendable {
  let store: AttemptStore
  /// Attempts that cost no waiting.
  let accountLimit: Int
  let addressLimit: Int

  /// The address first: one that waits already cannot make accounts wait.
  /// - Throws: `too_many_requests` with the seconds to wait.
  func begin(account: String, address: String?) async throws {
    if let address { try await count(Self.key(ofAddress: address), limit: addressLimit) }
    try await count(Self.key(ofAccount: account), limit: accountLimit)
  }

  /// Registrations count by address alone, and also when they succeed.
  /// - Throws: `too_many_requests`.
  func beginRegistration(from address: String?) async throws {
    try await count("registration \(address.map(Self.network) ?? "")", limit: accountLimit)
  }

  private func count(_ key: String, limit: Int) async throws {
    let wait = try await store.begin(key, limit: limit)
    guard wait > 0 else { return }
    let seconds = max(Int(wait.rounded(.up)), 1)
    var error = ServiceError(
      .tooManyRequests, "Too many attempts; try again in \(seconds) seconds.", retryAfter: seconds)
    error.rateLimit = limit
    throw error
  }

  /// Forgets the account's failures. The address keeps those of others: one good account is no licence to guess.
  func succeed(account: String, address: String?) async throws {
    try await store.forget(Self.key(ofAccount: account))
    if let address { try await store.refund(Self.key(ofAddress: address)) }
  }

  static func key(ofAccount account: String) -> String { "account \(account.lowercased().prefix(512))" }
  private static func key(ofAddress address: String) -> String { "address \(network(of: address))" }

  /// An IPv6 subscriber has a whole /64, which counts as one.
  private static func network(of address: String) -> String {
    guard let parsed = IPAddress(address)?.unmapped, parsed.bytes.count == 16 else { return address }
    return IPAddress(bytes: Array(parsed.bytes[..<8]) + [UInt8](repeating: 0, count: 8)).description + "/64"
  }
}
