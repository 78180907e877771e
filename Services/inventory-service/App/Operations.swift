import Foundation
import Models
import Persistence

import struct Models.Operation

/// Seeing operations, and waiting for them.
struct Operations: Sendable {
  let store: OperationStore
  let signal: OperationSignal

  func list(_ caller: Caller) -> Listing<Operation> { store.listing(caller) }

  /// The operation, at once or as soon as it has settled.
  /// - Parameter wait: Seconds to wait at most, 0 to 60.
  func get(_ id: OperationID, wait: Int, _ caller: Caller) async throws -> Operation {
    let end = ContinuousClock.now + .seconds(min(max(wait, 0), 60))
    while true {
      let mark = signal.mark(.watchers)
      guard let operation = try await store.get(id, caller) else { throw ServiceError.notFound(.operation) }
      let left = end - ContinuousClock.now
      if operation.status.isSettled || left <= .zero || Task.isCancelled { return operation }
      await signal.wait(atMost: min(left, .seconds(1)), .watchers, since: mark)
    }
  }
}
