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
  }

  /// The domain of a VM; nil when there is none.
  /// - Throws: `conflict` when a domain with this id is not ours.
  func find(_ id: VMID) async throws -> Owned? {
    guard let domain = try await libvirt.domain(uuid: id.uuid) else { return nil }
    guard let identity = try await identity(of: domain) else {
      throw ServiceError(.conflict, "A machine that is not ours has this id on the host.")
    }
    return Owned(domain: domain, identity: identity)
  }

  /// All domains of ours; one that vanishes while it is looked at is left out.
  func all() async throws -> [Owned] {
    var owned: [Owned] = []
    for domain in try await libvirt.domains() {
      if let identity = try await identity(of: domain) { owned.append(Owned(domain: domain, identity: identity)) }
    }
    return owned
  }

  private func identity(of domain: Domain) async throws -> DomainIdentity? {
    try await tolerating(.noDomain, giving: nil) {
      try await libvirt.metadata(of: domain.uuid, namespace: DomainIdentity.namespace)
        .flatMap(DomainIdentity.init(metadata:))
    }
  }

  func define(_ xml: DomainXML) async throws { _ = try await libvirt.define(xml: xml.document) }

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

  /// Addresses that libvirt's DHCP server gave to the VM.
  func addresses(of id: VMID) async throws -> [VMAddress] {
    try await tolerating(.operationInvalid, .noDomain, giving: []) {
      try await libvirt.interfaceAddresses(of: id.uuid, source: .lease).flatMap { interface in
        interface.addresses.map { VMAddress(ip: $0.address, mac: interface.mac ?? "") }
      }
    }
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

extension DomainState {
  /// As the inventory is told.
  var observed: ObservedPower {
    switch self {
    case .running, .blocked, .shutdown: .running
    case .paused, .pmsuspended: .paused
    case .crashed: .crashed
    case .nostate, .shutoff, .unknown: .stopped
    }
  }
}

extension LibvirtError: ServiceErrorConvertible {
  /// libvirt's words name paths of the host and stay in the log. A daemon that is away comes back.
  public var serviceError: ServiceError {
    let away: [Code] = [.noConnect, .invalidConnection, .rpc, .operationTimeout, .resourceBusy]
    return away.contains(code)
      ? ServiceError(
        .unavailable, "libvirt does not answer on the host.", detail: String(reflecting: self), retryAfter: 2)
      : ServiceError(
        .internalError, "libvirt refused; the log of the host's agent says why.", detail: String(reflecting: self))
  }
}
