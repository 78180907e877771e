import Foundation
import Libvirt
import Models

/// What this host is and has.
struct HostFactsReader: Sendable {
  let libvirt: LibvirtConnection
  let virtualisation: Virtualisation
  /// The folder whose file system holds the disks of VMs.
  let folder: String

  func read() async throws -> HostFacts {
    let node = try await libvirt.nodeInfo()
    var disk = statvfs()
    guard statvfs(folder, &disk) == 0 else { throw ServiceError(.internalError, "The VM folder cannot be read.") }
    let boot = try String(contentsOfFile: "/proc/sys/kernel/random/boot_id", encoding: .utf8)
    // The kernel's own figure: libvirt's counts one NUMA node only where memory was added while running.
    let memoryMiB = (sysconf(Int32(_SC_PHYS_PAGES)) * sysconf(Int32(_SC_PAGESIZE))) >> 20
    return HostFacts(
      hostname: try await libvirt.hostname(), hypervisor: "QEMU \(try await libvirt.hypervisorVersion())",
      virtualisation: virtualisation, arch: node.model, cpus: Int(node.cpus), mem: memoryMiB,
      disk: Int((UInt64(disk.f_blocks) * UInt64(disk.f_frsize)) >> 30),
      bootID: boot.trimmingCharacters(in: .whitespacesAndNewlines))
  }
}
