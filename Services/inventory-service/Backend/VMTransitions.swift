import Foundation
import Models
import Persistence
import Postgres

/// Writes what the state machine says, in the transaction that locked the VM.
enum VMTransitions {
  /// - Parameter assignments: What else the request changes, as SQL that goes on with a comma.
  /// - Throws: `invalid_state`.
  static func ask(
    _ request: VMRequest, of id: VMID, _ origin: RequestOrigin, setting assignments: SQL = "",
    with connection: isolated PostgresConnection
  ) throws -> Accepted<VM> {
    let resource = UUIDText(id.uuid)
    let life = try life(of: id, with: connection)
    let active = try OperationStore.active(on: resource, with: connection)
    let transition = VMStateMachine.next(life, .asked(request))
    switch transition {
    case .unchanged: return Accepted(resource: try VMStore.get(id, with: connection), operation: active)
    case .underWay(let kind) where active != nil && (kind != .vmDelete || active?.kind == .vmDelete):
      return Accepted(resource: try VMStore.get(id, with: connection), operation: active)
    case .to(_, _, let work, _):
      if request == .remove {
        try end(active, on: id, with: connection)
      } else if let active, let work {
        // Asked again, as when an answer was lost.
        guard active.kind == work, [.vmPause, .vmResume].contains(work) else { throw OperationStore.busy }
        return Accepted(resource: try VMStore.get(id, with: connection), operation: active)
      }
      let vm = try write(transition, to: id, setting: assignments, with: connection)
      let operation = try work.map { try OperationStore.insert($0, on: resource, origin, with: connection) }
      return Accepted(resource: vm, operation: operation)
    case .underWay, .forgotten:
      // A removal that ended without success is taken up anew; anything else is being changed at this moment.
      guard request == .remove else { throw OperationStore.busy }
      let vm = try write(
        .to(VMLife(state: .deleting, desired: .deleted), reason: nil, work: .vmDelete), to: id, with: connection)
      return Accepted(
        resource: vm, operation: try OperationStore.insert(.vmDelete, on: resource, origin, with: connection))
    case .refused(let sentence): throw ServiceError(.invalidState, sentence)
    }
  }

  /// Ends what is under way, so that something else can begin.
  static func end(
    _ operation: Models.Operation?, on id: VMID, with connection: isolated PostgresConnection
  ) throws {
    guard let operation else { return }
    try OperationStore.cancel(on: UUIDText(id.uuid), with: connection)
    if operation.kind == .vmMove { try MoveStore.abandon(id, with: connection) }
  }

  static func life(of id: VMID, with connection: isolated PostgresConnection) throws -> VMLife {
    let life = try connection.execute("SELECT state, desired FROM inventory.vms WHERE id = \(id.uuid) FOR UPDATE")
      .first { VMLife(state: try $0.wire("state"), desired: try $0.wire("desired")) }
    guard let life else { throw ServiceError.notFound(.vm) }
    return life
  }

  /// Writes a transition to somewhere.
  @discardableResult
  static func write(
    _ transition: VMTransition, to id: VMID, setting assignments: SQL = "",
    with connection: isolated PostgresConnection
  ) throws -> VM {
    guard case .to(let life, let reason, let work, let starts) = transition else {
      return try VMStore.get(id, with: connection)
    }
    let sentence: SQL =
      switch reason {
      case .none: "NULL"
      case .kept: "reason"
      case .text(let text): "\(text)"
      }
    let raised: SQL = work == nil ? "" : ", generation = generation + 1, stale = true"
    let started: SQL = starts ? ", boot = boot + 1, readiness = '[]', started_at = NULL" : ""
    let vm = try connection.execute(
      """
      UPDATE inventory.vms v SET state = \(life.state.rawValue), desired = \(life.desired.rawValue),
        reason = \(sentence)\(raised)\(started)\(assignments)
      WHERE v.id = \(id.uuid) RETURNING \(VMStore.columns)
      """
    ).first(VMStore.vm)
    guard let vm else { throw ServiceError.notFound(.vm) }
    return vm
  }

  /// Removes every trace of a VM that is not on its host any more, or whose host is.
  static func forget(_ id: VMID, with connection: isolated PostgresConnection) throws {
    let (host, room) = try VMStore.place(of: id, with: connection)
    try MoveStore.abandon(id, with: connection)
    try Placement.release(room, of: host, with: connection)
    _ = try connection.execute("DELETE FROM inventory.permissions WHERE resource = \(id.uuid)")
    _ = try connection.execute("DELETE FROM inventory.vms WHERE id = \(id.uuid)")
  }
}
