import Models

/// How a VM's disk is copied, by the state that the VM is in.
enum CapturePlan: Equatable, Sendable {
  /// The guest is off, and its disk a file like others.
  case copy(Consistency)
  /// The hypervisor copies while the guest runs on.
  case backup(Consistency)
  /// The guest would have to be off, or hold still, and cannot be made to.
  case needsPowerOff

  /// - Parameters:
  ///   - endedWell: Whether the guest had written everything when it ended.
  ///   - canFreeze: Whether the guest can be asked to hold still.
  init(power: ObservedPower, endedWell: Bool, canFreeze: Bool) {
    self =
      switch power {
      case .stopped: .copy(endedWell ? .stopped : .crash)
      case .paused: .backup(.crash)
      case .running: canFreeze ? .backup(.frozen) : .needsPowerOff
      // QEMU is still there and holds the disk.
      case .crashed: .needsPowerOff
      }
  }

  var consistency: Consistency? {
    switch self {
    case .copy(let consistency), .backup(let consistency): consistency
    case .needsPowerOff: nil
    }
  }
}
