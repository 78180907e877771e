import Foundation
import Models
import ServiceKit

/// The folders of the agent: its own state, one for each VM, and one for the consoles' sockets.
struct AgentFolders: Sendable {
  let state: String
  let run: String

  /// The longest path a unix socket can have (unix(7)), in bytes, less its terminator.
  private static let socketPathLimit = 107

  /// - Throws: `SettingsError` when a folder cannot be made, or is too deep for a socket.
  init(state: String, run: String) throws {
    self.state = state
    self.run = run
    let longest = Self.socket(in: run, of: VMID.make())
    guard longest.utf8.count <= Self.socketPathLimit else {
      throw SettingsError("IAAS_AGENT_RUN must be a shorter path: sockets in \(run) would exceed 107 bytes.")
    }
    do {
      for folder in [vms, generations, run] {
        try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
      }
      // Nobody but QEMU, which is told the paths, finds the VMs' files.
      try Folder.ensure(vms, mode: 0o711)
    } catch { throw SettingsError("The agent's folders in \(state) cannot be made: \(error.localizedDescription)") }
  }

  var vms: String { "\(state)/vms" }
  var generations: String { "\(state)/generations" }

  func paths(_ id: VMID) -> VMPaths { VMPaths(folder: "\(vms)/\(id)", consoleSocket: Self.socket(in: run, of: id)) }

  /// Makes the VM's folder, which QEMU's own user must be able to enter.
  func make(_ id: VMID) throws -> VMPaths {
    let paths = paths(id)
    try Folder.ensure(paths.folder, mode: 0o711)
    return paths
  }

  func remove(_ id: VMID) throws {
    let paths = paths(id)
    unlink(paths.consoleSocket)
    do { try FileManager.default.removeItem(atPath: paths.folder) } catch let error as CocoaError
      where error.code == .fileNoSuchFile
    {}
  }

  private static func socket(in run: String, of id: VMID) -> String { "\(run)/\(id).console" }
}
