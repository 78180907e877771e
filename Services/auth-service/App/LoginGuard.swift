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

  /// - Throws: `too_many_requests` with the seconds to wait.
  func begin(account: String, address: String?) async throws {
    for (key, limit) in keys(account, address) {
      let wait = try await store.begin(key, limit: limit)
      guard wait <= 0 else {
        let seconds = max(Int(wait.rounded(.up)), 1)
        throw ServiceError(
          .tooManyRequests, "Too many attempts; try again in \(seconds) seconds.", retryAfter: seconds)
      }
    }
  }

  /// Forgets the account's failures. The address keeps those of others: one good account is no licence to guess.
  func succeed(account: String, address: String?) async throws {
    for (index, key) in keys(account, address).map(\.key).enumerated() {
      if index == 0 { try await store.forget(key) } else { try await store.refund(key) }
    }
  }

  private func keys(_ account: String, _ address: String?) -> [(key: String, limit: Int)] {
    let own = ("account \(account.lowercased().prefix(512))", accountLimit)
    return [own] + (address.map { [("address \(Self.network(of: $0))", addressLimit)] } ?? [])
  }

  /// An IPv6 subscriber has a whole /64, which counts as one.
  private static func network(of address: String) -> String {
    guard let parsed = IPAddress(address)?.unmapped, parsed.bytes.count == 16 else { return address }
    return IPAddress(bytes: Array(parsed.bytes[..<8]) + [UInt8](repeating: 0, count: 8)).description + "/64"
  }
}
