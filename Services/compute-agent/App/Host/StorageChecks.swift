import Foundation
import Models
import ServiceKit

/// Whether disks can be kept here, and reached by QEMU.
struct StorageChecks: Sendable {
  let settings: AgentSettings

  /// Bytes below which no guest can be made, and below which there will soon be too few.
  private static let least: Int64 = 1 << 30
  private static let few: Int64 = 10 << 30

  /// File systems that a reboot empties.
  private static let fleeting: Set = ["tmpfs", "ramfs"]

  var password: HostCheck {
    let path = settings.passwordFile
    var status = stat()
    guard stat(path, &status) == 0 else {
      return .bad("password", "there is no \(path). Run: compute-agent setup")
    }
    guard status.st_size > 0 else {
      return .bad("password", "\(path) is empty. Remove it, and run: compute-agent setup")
    }
    guard status.st_mode & 0o077 == 0 else {
      return .bad("password", "others may read \(path). Run: chmod 600 \(path)")
    }
    return .good("password", "of the account \(settings.enrolmentUser), in \(path)")
  }

  var state: HostCheck {
    let folder = settings.state
    guard access(folder, F_OK) == 0 else {
      return .bad("storage", "there is no \(folder). Run: compute-agent setup")
    }
    guard access(folder, W_OK) == 0 else {
      return .bad("storage", "\(folder) cannot be written by this account: run this as root, or look at the mount")
    }
    guard let free = try? Files.freeSpace(at: folder) else { return .bad("storage", "\(folder) cannot be read") }
    let room = "\(free >> 30) GiB are free in \(folder)"
    if free < Self.least { return .bad("storage", "\(room): make room, or move it by IAAS_AGENT_STATE") }
    let kind = Machine.fileSystem(of: folder, inMounts: Machine.text("/proc/self/mounts"))
    if let kind, Self.fleeting.contains(kind) {
      return .warning("storage", "\(room), on \(kind). Disks of VMs should be on a file system that outlives a reboot")
    }
    return free < Self.few ? .warning("storage", "only \(room)") : .good("storage", room)
  }

  /// Images come to VMs as hard links out of the cache, so one file system has to hold both.
  var links: HostCheck {
    let (cache, vms) = ("\(settings.state)/cache", "\(settings.state)/vms")
    guard access(cache, W_OK) == 0, access(vms, W_OK) == 0 else {
      return .skipped("hard links", "\(cache) and \(vms) are made at the first start")
    }
    let name = ".doctor.\(getpid())"
    let (first, second) = ("\(cache)/\(name)", "\(vms)/\(name)")
    defer {
      unlink(first)
      unlink(second)
    }
    guard FileManager.default.createFile(atPath: first, contents: nil), link(first, second) == 0 else {
      let reason = String(cString: strerror(errno))
      return .bad(
        "hard links", "no file of \(cache) can have a name in \(vms) (\(reason)): both must be on one file system")
    }
    return .good("hard links", "from \(cache) to \(vms)")
  }

  /// Whether the account that libvirt gives to QEMU gets to the disks.
  func reach(of account: (user: UInt32, group: UInt32)?) async -> HostCheck {
    guard let account else {
      return .skipped("QEMU's account", "libvirt does not say by which account guests run")
    }
    guard geteuid() == 0 else { return .skipped("QEMU's account", "run this as root to have it looked at") }
    let folders = ["\(settings.state)/vms", settings.images].filter { FileManager.default.fileExists(atPath: $0) }
    for folder in folders {
      let outcome = try? await Tool.run(
        "setpriv",
        ["--reuid=\(account.user)", "--regid=\(account.group)", "--clear-groups", "--", "test", "-x", folder])
      guard outcome?.succeeded == true else {
        return .bad(
          "QEMU's account",
          "the user \(account.user) cannot enter \(folder). Run: chmod o+x on it and on the folders above")
      }
    }
    return .good("QEMU's account", "the user \(account.user) gets to \(folders.joined(separator: " and "))")
  }

  /// What the agent calls, and the packages that have it.
  private static let programs = [
    ("qemu-img", "qemu-utils"), ("xorrisofs", "xorriso"), ("fallocate", "util-linux"), ("timeout", "coreutils"),
  ]

  var tools: HostCheck {
    let missing = Self.programs.filter { Machine.program($0.0) == nil }
    guard missing.isEmpty else {
      return .bad(
        "tools",
        "there is no \(missing.map(\.0).joined(separator: ", ")). Run: apt-get install "
          + missing.map(\.1).joined(separator: " "))
    }
    return .good("tools", Self.programs.map(\.0).joined(separator: ", "))
  }
}
