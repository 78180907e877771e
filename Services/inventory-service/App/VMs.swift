import Foundation
import Models
import Persistence

/// Making, changing and removing VMs: what is asked for is written down here and carried out by the control loop.
struct VMs: Sendable {
  let store: VMStore
  let defaults: VMDefaults

  func list(_ caller: Caller) -> Listing<VM> { store.listing(caller) }

  func get(_ id: VMID, _ caller: Caller) async throws -> VM {
    guard let vm = try await store.get(id, caller) else { throw ServiceError.notFound(.vm) }
    return vm
  }

  func add(_ request: NewVM, _ caller: Caller, requestID: String) async throws -> Accepted<VM> {
    try await store.insert(request, defaults, caller, requestID: requestID)
  }

  /// - Throws: `not_implemented` for what only a later version can do with a running guest.
  func update(_ id: VMID, _ update: VMUpdate, _ caller: Caller, requestID: String) async throws -> Accepted<VM> {
    switch update.state {
    case .start, .running: return try await store.setPower(.running, of: id, caller, requestID: requestID)
    case .stop, .stopped: return try await store.setPower(.stopped, of: id, caller, requestID: requestID)
    case .reboot, .reset, .pause, .resume:
      _ = try await get(id, caller)
      throw ServiceError.notImplemented("The state change '\(update.state.rawValue)'")
    }
  }

  func remove(_ id: VMID, _ caller: Caller, requestID: String) async throws -> Accepted<VM> {
    try await store.delete(id, caller, requestID: requestID)
  }
}
