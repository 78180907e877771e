import Blocking
import Foundation
import Models
import ServiceKit

/// What lies in the folders of VMs, looked at off the cooperative pool.
actor VMFolders {
  private nonisolated let executor = QueueExecutor(label: "folders")
  nonisolated var unownedExecutor: UnownedSerialExecutor { executor.asUnownedSerialExecutor() }

  private let folders: AgentFolders

  init(folders: AgentFolders) { self.folders = folders }

  /// What a VM's folder says of it.
  struct View: Sendable {
    var hasDisk = false
    var hostKeys: [String] = []
    var captures: [ImageID] = []
  }

  /// - Parameter disks: The number of each VM's disk.
  func look(at disks: [VMID: Int64]) -> [VMID: View] {
    Dictionary(uniqueKeysWithValues: disks.map { ($0.key, look(at: $0.key, disk: $0.value)) })
  }

  func look(at id: VMID, disk: Int64) -> View {
    let paths = folders.paths(id)
    return View(
      hasDisk: access(paths.disk(disk), F_OK) == 0, hostKeys: KnownHostKeys.read(paths.hostKeys, disk: disk),
      captures: CaptureFiles.images(in: paths.captures))
  }

  /// The VMs that have a folder.
  func all() -> [VMID] {
    ((try? FileManager.default.contentsOfDirectory(atPath: folders.vms)) ?? []).compactMap { VMID($0) }
  }

  /// The VMs whose guests may be holding still for a copy.
  func frozen() -> [VMID] { all().filter { access(folders.paths($0).frozen, F_OK) == 0 } }

  /// The end of what the guest wrote to its console; empty when it wrote nothing.
  /// - Throws: `not_found` when there is no such VM.
  func console(of id: VMID, bytes: Int) throws -> Data {
    let paths = folders.paths(id)
    guard access(paths.folder, F_OK) == 0 else { throw ServiceError.notFound(.vm) }
    return try ConsoleLog(paths: paths).tail(bytes)
  }

  /// The VMs whose consoles' logs have grown too long.
  func longConsoles() -> [VMID] { all().filter { ConsoleLog(paths: folders.paths($0)).surplus > 0 } }

  /// Notes that a guest is started, also where nobody asked us.
  func markStart(of id: VMID) throws {
    let paths = folders.paths(id)
    unlink(paths.ended)
    guard access(paths.folder, F_OK) == 0 else { return }
    try ConsoleLog(paths: paths).markStart()
  }

  /// Notes that a guest ended by itself: libvirt forgets that when its daemon is started again.
  func noteEnd(of id: VMID) throws {
    let path = folders.paths(id).ended
    guard access(path, F_OK) != 0, access(folders.paths(id).folder, F_OK) == 0 else { return }
    try PrivateFile.write(Data(), to: path)
  }

  /// How the guest left its disk, as far as libvirt or we know.
  func endedWell(_ id: VMID, cause: PowerCause?) -> Bool {
    let paths = folders.paths(id)
    // What never ran has the disk as it was made.
    return cause == .guest
      || (cause == nil && (access(paths.ended, F_OK) == 0 || access(paths.consoleLog, F_OK) != 0))
  }

  func remember(_ keys: KnownHostKeys, of id: VMID) throws {
    let paths = folders.paths(id)
    guard access(paths.folder, F_OK) == 0, KnownHostKeys.read(paths.hostKeys, disk: keys.disk) != keys.keys else {
      return
    }
    try keys.write(to: paths.hostKeys)
  }

  /// Removes all of a VM.
  func remove(_ id: VMID) throws { try folders.remove(id) }
}
