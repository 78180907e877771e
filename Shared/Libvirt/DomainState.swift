import CLibvirt

/// The state of a domain. See https://libvirt.org/html/libvirt-libvirt-domain.html#virDomainState.
public enum DomainState: Hashable, Sendable {
  /// `nostate`: the driver cannot tell. `shutdown`: being shut down, still running. `shutoff`: off.
  case nostate, running, blocked, paused, shutdown, shutoff, crashed, pmsuspended
  /// A number unknown here.
  case unknown(Int32)

  /// - Parameter rawValue: A `virDomainState`, known or not.
  public init(rawValue: Int32) {
    self = Self.known[rawValue] ?? .unknown(rawValue)
  }

  private static let known: [Int32: Self] = [
    Int32(VIR_DOMAIN_NOSTATE.rawValue): .nostate,
    Int32(VIR_DOMAIN_RUNNING.rawValue): .running,
    Int32(VIR_DOMAIN_BLOCKED.rawValue): .blocked,
    Int32(VIR_DOMAIN_PAUSED.rawValue): .paused,
    Int32(VIR_DOMAIN_SHUTDOWN.rawValue): .shutdown,
    Int32(VIR_DOMAIN_SHUTOFF.rawValue): .shutoff,
    Int32(VIR_DOMAIN_CRASHED.rawValue): .crashed,
    Int32(VIR_DOMAIN_PMSUSPENDED.rawValue): .pmsuspended,
  ]
}

/// Why a domain is off. See https://libvirt.org/html/libvirt-libvirt-domain.html#virDomainShutoffReason.
public enum ShutoffReason: Hashable, Sendable {
  /// `shutdown`: the guest ended by itself or was asked to. `destroyed`: by force. `daemon`: the daemon ended it, such as
  /// when it could not take hold of it again after a restart.
  case unknown, shutdown, destroyed, crashed, migrated, saved, failed, fromSnapshot, daemon
  /// A number unknown here.
  case other(Int32)

  /// - Parameter rawValue: A `virDomainShutoffReason`, known or not.
  public init(rawValue: Int32) {
    self = Self.known[rawValue] ?? .other(rawValue)
  }

  private static let known: [Int32: Self] = [
    Int32(VIR_DOMAIN_SHUTOFF_UNKNOWN.rawValue): .unknown,
    Int32(VIR_DOMAIN_SHUTOFF_SHUTDOWN.rawValue): .shutdown,
    Int32(VIR_DOMAIN_SHUTOFF_DESTROYED.rawValue): .destroyed,
    Int32(VIR_DOMAIN_SHUTOFF_CRASHED.rawValue): .crashed,
    Int32(VIR_DOMAIN_SHUTOFF_MIGRATED.rawValue): .migrated,
    Int32(VIR_DOMAIN_SHUTOFF_SAVED.rawValue): .saved,
    Int32(VIR_DOMAIN_SHUTOFF_FAILED.rawValue): .failed,
    Int32(VIR_DOMAIN_SHUTOFF_FROM_SNAPSHOT.rawValue): .fromSnapshot,
    Int32(VIR_DOMAIN_SHUTOFF_DAEMON.rawValue): .daemon,
  ]
}
