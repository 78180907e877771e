import ArgumentParser
import Models

/// How far a guest shall have come before a command returns.
enum GuestStage: String, ExpressibleByArgument, CaseIterable, Sendable {
  /// The VM runs; its guest may not have done anything yet.
  case running
  case booted, network, ssh
  case cloudInit = "cloud-init"

  /// What is known of the guest then; nil when that is nothing.
  private var readiness: ReadinessStage? { ReadinessStage(rawValue: rawValue) }

  func isReached(by vm: VMView) -> Bool {
    guard vm.state == VMState.running.rawValue else { return false }
    return readiness.map { Self.has(vm, reached: $0) } ?? true
  }

  /// What to ask the server for next on the way there.
  func next(for vm: VMView) -> ReadinessStage {
    guard let goal = readiness, vm.state == VMState.running.rawValue else { return .defined }
    let way = ReadinessStage.allCases.filter { $0 > .defined && $0 <= goal }
    return way.first { !Self.has(vm, reached: $0) } ?? goal
  }

  /// A stage implies those before it. But for SSH: an agent that says how far cloud-init is says nothing of a server.
  private static func has(_ vm: VMView, reached stage: ReadinessStage) -> Bool {
    let known = vm.reached
    return stage == .ssh ? known.contains(.ssh) : known.contains { $0 >= stage }
  }
}
