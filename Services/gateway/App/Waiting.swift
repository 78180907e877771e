import Clients
import HTTPTypes
import Models
import ServiceKit

/// Waits for a mutation to settle, as long as the client wishes.
struct Waiting: Sendable {
  let inventory: InventoryClient

  /// What a `Prefer` header asks for (RFC 7240): `wait=N`, or `respond-async` for none, and `readiness=STAGE`.
  struct Preference: Equatable {
    var seconds = 10
    var readiness: ReadinessStage?

    private static let longestSeconds = 60

    /// Preferences that are not known are not for us.
    /// - Throws: `invalid_field` for a stage that there is not.
    init(_ header: String?) throws {
      let preferences = (header ?? "").split(whereSeparator: { ",;".contains($0) }).map {
        $0.filter { !$0.isWhitespace }.lowercased()
      }
      var seconds: Int?
      for preference in preferences {
        if preference == "respond-async" { seconds = seconds ?? 0 }
        if preference.hasPrefix("wait="), let asked = Int(preference.dropFirst(5)) {
          seconds = seconds ?? min(max(asked, 0), Self.longestSeconds)
        }
        if preference.hasPrefix("readiness=") {
          guard let stage = ReadinessStage(rawValue: String(preference.dropFirst(10))) else {
            throw ServiceError.invalid(
              "Prefer", "readiness is one of \(ReadinessStage.allCases.map(\.rawValue).joined(separator: ", ")).")
          }
          readiness = stage
        }
      }
      if let seconds { self.seconds = seconds }
    }
  }

  /// The VM, as soon as its guest has come so far, or as it is when the time is over.
  func ready(
    _ vm: VM, for stage: ReadinessStage, until end: ContinuousClock.Instant, _ origin: CallOrigin
  ) async throws -> VM {
    let left = Int((end - ContinuousClock.now).components.seconds)
    guard left > 0, vm.state == .running, vm.readiness.map({ $0.stage < stage }) ?? true else { return vm }
    return try await inventory.vm(vm.id, readyFor: stage, wait: left, origin)
  }

  /// - Returns: The operation as it is when it has settled or the time is over; nil when there was nothing to wait for.
  func settle(_ operation: Models.Operation?, seconds: Int, _ origin: CallOrigin) async throws -> Models.Operation? {
    guard let operation, !operation.status.isSettled, seconds > 0 else { return operation }
    return try await inventory.operation(operation.id, wait: seconds, origin)
  }
}
