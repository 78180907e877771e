import Foundation
import Models

/// Whether guests run on the CPU's extensions, found out by running one.
struct VirtualisationCheck: Sendable {
  let choice: VirtualisationChoice

  func check() async -> HostCheck {
    guard choice != .emulated else {
      return .warning("virtualisation", "emulated, because IAAS_VIRTUALISATION says so: guests are slow")
    }
    let extensions = Machine.extensions(inCPUInfo: Machine.text("/proc/cpuinfo"))
    let isThere = access("/dev/kvm", F_OK) == 0
    return Self.judge(
      choice: choice, extensions: extensions, device: isThere ? access("/dev/kvm", R_OK | W_OK) == 0 : nil,
      works: await VirtualisationProbe.run() == .kvm)
  }

  /// - Parameters:
  ///   - extensions: As the CPU names them.
  ///   - device: Whether `/dev/kvm` may be used; nil where there is none.
  ///   - works: Whether a guest ran.
  static func judge(choice: VirtualisationChoice, extensions: String?, device: Bool?, works: Bool) -> HostCheck {
    if works { return .good("virtualisation", "a guest ran under KVM\(extensions.map { " (\($0))" } ?? "")") }
    let reason =
      switch (device, extensions) {
      case (nil, nil):
        "the processor shows neither vmx nor svm. Enable virtualisation in the firmware, or nested virtualisation where "
          + "this machine is a guest itself"
      case (nil, let name?): "there is no /dev/kvm. Run: modprobe \(name == "vmx" ? "kvm_intel" : "kvm_amd")"
      case (false, _): "/dev/kvm may not be used by this account. Run this as root, or add the account to the group kvm"
      case (true, _):
        "/dev/kvm is there, and no guest runs on it. Is nested virtualisation on where this machine is a guest?"
      }
    return choice == .kvm
      ? .bad("virtualisation", "IAAS_VIRTUALISATION asks for KVM, but \(reason)")
      : .warning("virtualisation", "guests are emulated, and slow: \(reason)")
  }
}
