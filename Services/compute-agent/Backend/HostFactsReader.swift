import Foundation
import Libvirt
import Models

/// The version of the agent.
enum AgentVersion {
  static let current = "0.2.0"
}

/// What this host is and has.
struct HostFactsReader: Sendable {
  let libvirt: LibvirtConnection
  let virtualisation: Virtualisation
  /// The folder whose file system holds the disks of VMs.
  let folder: String
  /// A file whose content changes with every boot of the host.
  let bootIDFile: String

  func read() async throws -> HostFacts {
    let node = try await libvirt.nodeInfo()
    var disk = statvfs()
    guard statvfs(folder, &disk) == 0 else { throw ServiceError(.internalError, "The VM folder cannot be read.") }
    // The kernel's own figure: libvirt's counts one NUMA node only where memory was added while running.
    let memoryMiB = (sysconf(Int32(_SC_PHYS_PAGES)) * sysconf(Int32(_SC_PAGESIZE))) >> 20
    return HostFacts(
      hostname: try await libvirt.hostname(), hypervisor: "QEMU \(try await libvirt.hypervisorVersion())",
      virtualisation: virtualisation, arch: node.model, cpuModel: Self.cpuModel, cpus: Int(node.cpus),
      mem: memoryMiB, disk: Int((UInt64(disk.f_blocks) * UInt64(disk.f_frsize)) >> 30), bootID: try bootID(),
      agentVersion: AgentVersion.current)
  }

  /// - Throws: `internal_error` when it cannot be read.
  func bootID() throws -> String {
    guard let text = try? String(contentsOfFile: bootIDFile, encoding: .utf8) else {
      throw ServiceError(.internalError, "The host's boot cannot be told.", detail: bootIDFile)
    }
    return Text.printable(text.trimmingCharacters(in: .whitespacesAndNewlines), limit: 64)
  }

  /// Empty where the kernel does not name it.
  private static let cpuModel: String = {
    let text = (try? String(contentsOfFile: "/proc/cpuinfo", encoding: .utf8)) ?? ""
    return text.firstMatch(of: /model name\s*:\s*([^\n]+)/).map { Text.printable(String($0.1), limit: 128) } ?? ""
  }()
}
