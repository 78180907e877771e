import Foundation
import Libvirt
import Models
import ServiceKit

/// The domains of this host that are ours: those that carry our metadata. All others are never touched.
struct Hypervisor: Sendable {
  let libvirt: LibvirtConnection
  let network: String

  /// A domain of ours.
  struct Owned: Sendable {
    let domain: Domain
    let identity: DomainIdentity

    var id: VMID { VMID(domain.uuid) }
    var power: ObservedPower { domain.state.observed }
  }

  /// All domains of the host.
  struct Listing: Sendable {
    let owned: [Owned]
    /// Those that are not ours.
    let strangers: Set<UUID>
  }

  /// The domain of a VM; nil when there is none.
  /// - Throws: `conflict` when a domain with this id is not ours.
  func find(_ id: VMID) async throws -> Owned? {
    guard let domain = try await libvirt.domain(uuid: id.uuid) else { return nil }
    let metadata = try await tolerating(.noDomain, giving: nil) {
      try await libvirt.metadata(of: domain.uuid, namespace: DomainIdentity.namespace)
    }
    guard let identity = metadata.flatMap(DomainIdentity.init(metadata:)) else {
      throw ServiceError(.conflict, "A machine that is not ours has this id on the host.")
    }
    return Owned(domain: domain, identity: identity)
  }

  /// All domains, in one go; one that vanishes meanwhile is left out.
  func list() async throws -> Listing {
    let records = try await libvirt.domainRecords(namespace: DomainIdentity.namespace)
    let owned = records.compactMap { record in
      record.metadata.flatMap(DomainIdentity.init(metadata:)).map { Owned(domain: record.domain, identity: $0) }
    }
    let ours = Set(owned.map(\.domain.uuid))
    return Listing(owned: owned, strangers: Set(records.map(\.domain.uuid)).subtracting(ours))
  }

  /// Addresses that the network's DHCP server gave, by the hardware addresses that have them; none where there is no such
  /// network, or libvirt does not serve it.
  func leases() async throws -> [String: [DHCPLease]] {
    let leases = try await tolerating(.noNetwork, .operationInvalid, .noSupport, giving: []) {
      try await libvirt.dhcpLeases(ofNetwork: network)
    }
    return Dictionary(grouping: leases.filter { $0.mac != nil }) { $0.mac ?? "" }
  }

  func define(_ document: String) async throws { _ = try await libvirt.define(xml: document) }

  func note(_ identity: DomainIdentity, on id: VMID) async throws {
    try await libvirt.setMetadata(
      of: id.uuid, namespace: DomainIdentity.namespace, prefix: DomainIdentity.prefix, xml: identity.element)
  }

  /// Starts the domain, and before that the network if it is not active.
  func start(_ id: VMID) async throws {
    guard let network = try await libvirt.network(network) else {
      throw ServiceError(.internalError, "The host's network '\(self.network)' is not defined in libvirt.")
    }
    if !network.isActive {
      try await tolerating(.operationInvalid, giving: ()) { try await libvirt.startNetwork(self.network) }
    }
    try await tolerating(.operationInvalid, giving: ()) { try await libvirt.start(id.uuid) }
  }

  /// Asks the guest to power off.
  func pressPowerButton(_ id: VMID) async throws {
    try await tolerating(.operationInvalid, giving: ()) { try await libvirt.shutdown(id.uuid, mode: .acpi) }
  }

  func suspend(_ id: VMID) async throws {
    try await tolerating(.operationInvalid, giving: ()) { try await libvirt.suspend(id.uuid) }
  }

  func resume(_ id: VMID) async throws {
    try await tolerating(.operationInvalid, giving: ()) { try await libvirt.resume(id.uuid) }
  }

  /// Takes the power.
  func destroy(_ id: VMID) async throws {
    try await tolerating(.operationInvalid, .noDomain, giving: ()) {
      try await libvirt.destroy(id.uuid, graceful: false)
    }
  }

  func undefine(_ id: VMID) async throws {
    try await tolerating(.noDomain, giving: ()) { try await libvirt.undefine(id.uuid) }
  }

  /// What was asked for may have become true meanwhile, or the domain be gone; libvirt says so by these codes.
  private func tolerating<Value>(
    _ codes: LibvirtError.Code..., giving value: Value, body: () async throws -> Value
  ) async throws -> Value {
    do { return try await body() } catch let error as LibvirtError {
      guard codes.contains(error.code) else { throw error }
      return value
    }
  }
}

extension LibvirtError: ServiceErrorConvertible {
  /// libvirt's words name paths of the host and stay in the log. A daemon that is away comes back.
  public var serviceError: ServiceError {
    let away: [Code] = [.noConnect, .invalidConnection, .rpc, .operationTimeout, .resourceBusy]
    return away.contains(code) || isConnectionFailure
      ? ServiceError(
        .unavailable, "libvirt does not answer on the host.", detail: String(reflecting: self), retryAfter: 2)
      : ServiceError(
        .internalError, "libvirt refused; the log of the host's agent says why.", detail: String(reflecting: self))
  }
}
