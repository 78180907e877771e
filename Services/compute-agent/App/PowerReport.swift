import Libvirt
import Models

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

/// Why a domain is paused, as far as it says something about who did it.
/// See https://libvirt.org/html/libvirt-libvirt-domain.html#virDomainPausedReason.
private enum PausedReason: Int32 {
  case user = 1
  case inputOutputError = 5
}

extension Domain {
  /// Why it is off or paused; nil where libvirt does not say, or where it is neither.
  var cause: PowerCause? {
    switch state {
    case .shutoff:
      switch shutoffReason {
      case .shutdown: .guest
      case .destroyed: .hand
      case .crashed, .failed: .failure
      default: nil
      }
    case .paused:
      switch PausedReason(rawValue: reason) {
      case .inputOutputError: .disk
      case .user: .hand
      case nil: nil
      }
    default: nil
    }
  }
}
