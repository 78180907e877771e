import Persistence

extension Idempotency {
  /// Of what is asked of this service.
  static let inventory = Idempotency(table: "inventory.idempotency")
}
