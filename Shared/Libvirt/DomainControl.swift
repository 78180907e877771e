import CLibvirt
import Foundation

/// How a guest is asked to end. See https://libvirt.org/html/libvirt-libvirt-domain.html#virDomainShutdownFlagValues.
public enum ShutdownMode: Sendable {
  /// The virtual power button, as far as the driver has one; a driver with only one way to ask takes that.
  case acpi
  /// The guest agent; ``LibvirtError/Code/agentUnresponsive`` when it does not answer.
  case agent

  var flags: UInt32 {
    switch self {
    case .acpi: VIR_DOMAIN_SHUTDOWN_ACPI_POWER_BTN.rawValue
    case .agent: VIR_DOMAIN_SHUTDOWN_GUEST_AGENT.rawValue
    }
  }

  /// What to try where the driver does not know ``flags``.
  var commonFlags: UInt32 {
    switch self {
    case .acpi: VIR_DOMAIN_SHUTDOWN_DEFAULT.rawValue
    case .agent: VIR_DOMAIN_SHUTDOWN_GUEST_AGENT.rawValue
    }
  }
}

/// Every call here throws ``LibvirtError/Code/noDomain`` when there is no such domain, and
/// ``LibvirtError/Code/operationInvalid`` when its present state does not allow the change.
extension LibvirtConnection {
  /// Starts a domain that is off; returns when the hypervisor runs it.
  /// See https://libvirt.org/html/libvirt-libvirt-domain.html#virDomainCreate.
  public func start(_ uuid: UUID) throws(LibvirtError) {
    try change(uuid, virDomainCreate)
  }

  /// Asks the guest to end; returns at once, and the guest may ignore it.
  /// See https://libvirt.org/html/libvirt-libvirt-domain.html#virDomainShutdownFlags.
  public func shutdown(_ uuid: UUID, mode: ShutdownMode) throws(LibvirtError) {
    try withDomain(uuid) { (domain) throws(LibvirtError) in
      _ = try withFlags(mode.flags, orElse: mode.commonFlags) { (flags) throws(LibvirtError) in
        try check(virDomainShutdownFlags(domain, flags))
      }
    }
  }

  /// Asks the guest to restart, in the way the hypervisor likes best; returns at once, and the guest may ignore it.
  /// See https://libvirt.org/html/libvirt-libvirt-domain.html#virDomainReboot.
  public func reboot(_ uuid: UUID) throws(LibvirtError) {
    try change(uuid) { virDomainReboot($0, 0) }
  }

  /// Presses the reset button: the guest restarts without being asked.
  /// See https://libvirt.org/html/libvirt-libvirt-domain.html#virDomainReset.
  public func reset(_ uuid: UUID) throws(LibvirtError) {
    try change(uuid) { virDomainReset($0, 0) }
  }

  /// Stops a running domain's processors; its memory stays where it is.
  /// See https://libvirt.org/html/libvirt-libvirt-domain.html#virDomainSuspend.
  public func suspend(_ uuid: UUID) throws(LibvirtError) {
    try change(uuid, virDomainSuspend)
  }

  /// Lets a suspended domain go on.
  /// See https://libvirt.org/html/libvirt-libvirt-domain.html#virDomainResume.
  public func resume(_ uuid: UUID) throws(LibvirtError) {
    try change(uuid, virDomainResume)
  }

  /// Ends a domain without asking its guest; it stays defined.
  /// See https://libvirt.org/html/libvirt-libvirt-domain.html#virDomainDestroyFlags.
  /// - Parameter graceful: Lets the hypervisor write what it holds back, and fails when it does not end in time;
  ///   otherwise it is killed. Drivers that know no such difference ignore it.
  public func destroy(_ uuid: UUID, graceful: Bool) throws(LibvirtError) {
    try withDomain(uuid) { (domain) throws(LibvirtError) in
      let flags = graceful ? VIR_DOMAIN_DESTROY_GRACEFUL.rawValue : VIR_DOMAIN_DESTROY_DEFAULT.rawValue
      _ = try withFlags(flags, orElse: 0) { (flags) throws(LibvirtError) in
        try check(virDomainDestroyFlags(domain, flags))
      }
    }
  }

  /// Removes a domain's stored description, with its saved memory, its NVRAM and the records of its snapshots and
  /// checkpoints, as far as the driver knows these; its disks stay. A running domain runs on, and goes when it ends.
  /// See https://libvirt.org/html/libvirt-libvirt-domain.html#virDomainUndefineFlags.
  public func undefine(_ uuid: UUID) throws(LibvirtError) {
    let common = VIR_DOMAIN_UNDEFINE_MANAGED_SAVE.rawValue | VIR_DOMAIN_UNDEFINE_SNAPSHOTS_METADATA.rawValue
    let further = VIR_DOMAIN_UNDEFINE_CHECKPOINTS_METADATA.rawValue | VIR_DOMAIN_UNDEFINE_NVRAM.rawValue
    try withDomain(uuid) { (domain) throws(LibvirtError) in
      _ = try withFlags(common | further, orElse: common) { (flags) throws(LibvirtError) in
        try check(virDomainUndefineFlags(domain, flags))
      }
    }
  }

  private func change(_ uuid: UUID, _ call: (OpaquePointer) -> Int32) throws(LibvirtError) {
    try withDomain(uuid) { (domain) throws(LibvirtError) in _ = try check(call(domain)) }
  }
}
