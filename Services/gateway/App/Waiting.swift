import Clients
import HTTPTypes
import Models
import ServiceKit

/// Waits for a mutation to settle, as long as the client wishes.
struct Waiting: Sendable {
  let inventory: InventoryClient

  private static let standardSeconds = 10
  private static let longestSeconds = 60

  /// The seconds that a `Prefer` header asks for (RFC 7240): `wait=N`, or `respond-async` for none.
  static func seconds(preferred header: String?) -> Int {
    guard let header else { return standardSeconds }
    let preferences = header.split(whereSeparator: { ",;".contains($0) }).map {
      $0.filter { !$0.isWhitespace }.lowercased()
    }
    for preference in preferences {
      if preference == "respond-async" { return 0 }
      if preference.hasPrefix("wait="), let seconds = Int(preference.dropFirst(5)) {
        return min(max(seconds, 0), longestSeconds)
      }
    }
    return standardSeconds
  }

  /// - Returns: The operation as it is when it has settled or the time is over; nil when there was nothing to wait for.
  func settle(_ operation: Models.Operation?, seconds: Int, _ origin: CallOrigin) async throws -> Models.Operation? {
    guard let operation, !operation.status.isSettled, seconds > 0 else { return operation }
    return try await inventory.operation(operation.id, wait: seconds, origin)
  }
}
