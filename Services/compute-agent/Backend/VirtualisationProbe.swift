import Foundation
import Models
import ServiceKit

/// Finds out by trial whether guests can run on the CPU's own extensions: `/dev/kvm` may exist and not work.
enum VirtualisationProbe {
  /// Seconds a guest of five instructions gets.
  private static let patience = 5

  /// Runs a boot sector that writes to QEMU's exit port, under KVM; only a guest that truly ran gives that status.
  static func run() async -> Virtualisation {
    let path = NSTemporaryDirectory() + "iaas-probe-\(UUID().uuidString)"
    defer { unlink(path) }
    guard access("/dev/kvm", R_OK | W_OK) == 0,
      FileManager.default.createFile(atPath: path, contents: Data(bootSector)),
      let outcome = try? await Tool.run(
        "timeout",
        [
          "-k", "1", String(patience), "qemu-system-x86_64", "-accel", "kvm", "-machine", "q35", "-m", "32",
          "-nodefaults",
          "-display", "none", "-device", "isa-debug-exit,iobase=0xf4,iosize=0x04", "-drive",
          "file=\(path),format=raw,if=ide,readonly=on", "-no-reboot",
        ])
    else { return .emulated }
    return outcome.status == expectedStatus ? .kvm : .emulated
  }

  private static let value: UInt8 = 0x15
  /// QEMU ends with the value doubled, plus one (hw/misc/debugexit.c).
  private static let expectedStatus = Int32(value) * 2 + 1

  /// `mov al, value; out 0xf4, al; hlt; jmp` back to the halt, and the boot signature.
  private static let bootSector: [UInt8] =
    [0xb0, value, 0xe6, 0xf4, 0xf4, 0xeb, 0xfd] + [UInt8](repeating: 0, count: 503) + [0x55, 0xaa]
}
