import Foundation
import Models
import ServiceKit
import Synchronization
import TestSupport

/// A hypervisor host of `Tests/Hosts/host`; as a victim it is its agent.
final class Machine: Victim {
  /// What the script says of a host.
  struct Description: Decodable, Sendable {
    let name: String
    let state: String
    let addr: String
    let uri: String
    let user: String
    let password: String
    let gatewayAddr: String
  }

  let description: Description
  let failpoints: String
  private let script: String
  private let enrolled = Mutex<HostID?>(nil)

  init(_ name: String, in folder: String, root: String) throws {
    let text = try Data(contentsOf: URL(fileURLWithPath: "\(folder)/run/\(name).json"))
    description = try JSONDecoder().decode(Description.self, from: text)
    failpoints = "\(folder)/failpoints/\(name)"
    script = "\(root)/Tests/Hosts/host"
  }

  var name: String { description.name }

  /// Its id in the installation.
  var id: HostID? {
    get { enrolled.withLock { $0 } }
    set { enrolled.withLock { $0 = newValue } }
  }

  var pid: pid_t? { running("agent.pid") }
  var libvirtd: pid_t? { running("libvirt/pid") }

  private func running(_ file: String) -> pid_t? {
    let text = try? String(contentsOfFile: "\(description.state)/\(file)", encoding: .utf8)
    guard let pid = text?.split(separator: " ").first.flatMap({ pid_t($0) }), ProcessTable.isRunning(pid) else {
      return nil
    }
    return pid
  }

  func bringBack() async throws { try await tell("agent-start") }

  /// One of the script's commands, such as `cut`.
  func tell(_ verb: String) async throws { try await Shell.run(script, verb, description.state) }

  /// The QEMU processes of its running domains, by VM.
  func guests() -> [String: pid_t] {
    let folder = "\(description.state)/libvirt/run/qemu"
    var guests: [String: pid_t] = [:]
    for name in (try? FileManager.default.contentsOfDirectory(atPath: folder)) ?? []
    where name.hasPrefix("iaas-") && name.hasSuffix(".pid") {
      guard let text = try? String(contentsOfFile: "\(folder)/\(name)", encoding: .utf8),
        let pid = pid_t(text.trimmingCharacters(in: .whitespacesAndNewlines)), ProcessTable.isRunning(pid)
      else { continue }
      guests[String(name.dropFirst(5).dropLast(4))] = pid
    }
    return guests
  }

  /// Whether the agent keeps anything of the VM.
  func hasFolder(of id: VMID) -> Bool { access("\(description.state)/agent/vms/\(id)", F_OK) == 0 }

  @discardableResult
  func virsh(_ arguments: String...) async throws -> String {
    try await Shell.run("virsh", arguments: ["--quiet", "--connect", description.uri] + arguments)
  }
}
