import Foundation
import Libvirt
import Logging
import Models
import ServiceKit

/// Sees to it that running guests use no more than they may. What holds is noted on the domain, and is so until it ends.
struct Capper: Sendable {
  let hypervisor: Hypervisor
  let logger: Logger

  /// Brings the caps of a running guest to what they should be; says nothing but to the log when the host cannot.
  /// - Throws: `unavailable`, as that passes.
  func follow(_ caps: Caps?, on id: VMID) async throws {
    guard let owned = try await hypervisor.find(id), owned.isOn, owned.identity.caps != (caps ?? .none) else { return }
    do { try await apply(caps ?? .none, to: owned, isForced: false) } catch let error as ServiceError
      where error.code != .unavailable
    {
      logger.warning("not capped", metadata: ["vm": "\(id)", "error": "\(error.detail ?? error.message)"])
    }
  }

  /// Sets the caps whatever was noted: the guest may have been started by hand since, or an agent have died before it noted
  /// what it did.
  /// - Parameter generation: Of the command, which is noted before.
  /// - Throws: `not_found`, `invalid_state` when it is off, `conflict` for what the host cannot cap, `unavailable`.
  func require(_ caps: Caps, on id: VMID, generation: Int64) async throws {
    guard let found = try await hypervisor.find(id) else { throw ServiceError.notFound(.vm) }
    var identity = found.identity
    identity.generation = generation
    if identity != found.identity { try await hypervisor.note(identity, on: id) }
    guard found.isOn else { throw ServiceError(.invalidState, "The VM is off; it is capped when it starts.") }
    try await apply(caps, to: Hypervisor.Owned(domain: found.domain, identity: identity), isForced: true)
  }

  /// Changes what differs, or all, and notes what came of it also when a part failed.
  private func apply(_ caps: Caps, to owned: Hypervisor.Owned, isForced: Bool) async throws {
    var held = owned.identity.caps
    var failure: ServiceError?
    let (libvirt, uuid) = (hypervisor.libvirt, owned.id.uuid)
    func attempt(_ what: String, if differs: Bool, _ body: () async throws -> Void) async {
      guard differs || isForced else { return }
      do { try await body() } catch {
        // A host that cannot cap something has nothing to lift either.
        guard differs else { return }
        let known = (error as? LibvirtError)?.serviceError
        failure =
          known?.code == .unavailable
          ? known
          : ServiceError(
            .conflict, "The VM's host cannot cap its \(what); the log of the host's agent says why.",
            detail: String(reflecting: error))
      }
    }
    await attempt("processor time", if: held.cpuShare != caps.cpuShare) {
      try await libvirt.capProcessors(of: uuid, percent: caps.cpuShare)
      held.cpuShare = caps.cpuShare
    }
    let (bytes, operations) = (caps.diskBytesPerSecond, caps.diskOperationsPerSecond)
    await attempt("disk", if: held.diskBytesPerSecond != bytes || held.diskOperationsPerSecond != operations) {
      try await libvirt.capDisk(
        DomainXML.systemDisk, of: uuid, bytes: bytes.map { UInt64($0) }, operations: operations.map { UInt64($0) })
      (held.diskBytesPerSecond, held.diskOperationsPerSecond) = (bytes, operations)
    }
    await attempt("network traffic", if: held.netBytesPerSecond != caps.netBytesPerSecond) {
      try await libvirt.capInterface(
        owned.id.mac, of: uuid, kibibytes: caps.netBytesPerSecond.map { UInt32(clamping: $0 / 1024) })
      held.netBytesPerSecond = caps.netBytesPerSecond
    }
    if held != owned.identity.caps {
      var identity = owned.identity
      identity.caps = held
      try await hypervisor.note(identity, on: owned.id)
    }
    if let failure { throw failure }
  }
}

extension Hypervisor.Owned {
  fileprivate var isOn: Bool { power == .running || power == .paused }
}

extension Caps {
  /// As it stands in a domain's metadata: the numbers in their order, `-` for none.
  var note: String {
    [cpuShare.map { Int64($0) }, diskBytesPerSecond, diskOperationsPerSecond, netBytesPerSecond]
      .map { $0.map { String($0) } ?? "-" }.joined(separator: " ")
  }

  init?(note: String) {
    let numbers = note.split(separator: " ").map { Int64($0) }
    guard numbers.count == 4 else { return nil }
    self.init(
      cpuShare: numbers[0].map { Int($0) }, diskBytesPerSecond: numbers[1], diskOperationsPerSecond: numbers[2],
      netBytesPerSecond: numbers[3])
  }
}
