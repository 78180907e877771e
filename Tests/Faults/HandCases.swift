import Foundation
import Models
import TestSupport

/// What people do on a host behind the installation's back.
enum HandCases {
  static let all: [Case] = [
    Case(name: "started by hand", body: started), Case(name: "stopped by hand", body: stopped),
    Case(name: "undefined by hand", body: undefined), Case(name: "a domain of ours that nobody knows", body: stray),
    Case(name: "a domain of somebody else", body: foreign),
  ]

  private static func started(_ lab: Lab) async throws {
    let vm = try await lab.makeVM()
    try await lab.machine(vm.host).virsh("start", vm.id.description)
    try await lab.await(vm.id, .running, within: .seconds(30))
    try require(try await lab.vm(vm.id).reason != nil, "nobody is told why it runs")
    _ = try await lab.settled(try await lab.change(vm.id, .power(.stop)), as: .stopped)
  }

  private static func stopped(_ lab: Lab) async throws {
    let vm = try await lab.makeVM(start: true)
    try await lab.machine(vm.host).virsh("destroy", vm.id.description)
    try await lab.await(vm.id, .stopped, within: .seconds(30))
    try require(try await lab.vm(vm.id).reason != nil, "nobody is told why it is off")
    _ = try await lab.settled(try await lab.change(vm.id, .power(.start)), as: .running)
  }

  private static func undefined(_ lab: Lab) async throws {
    let vm = try await lab.makeVM()
    try await lab.machine(vm.host).virsh("undefine", vm.id.description)
    try await lab.await(vm.id, .error, within: .seconds(30))
    _ = try await lab.settled(try await lab.change(vm.id, .rebuild(lab.image)), as: .stopped)
    _ = try await lab.settled(try await lab.change(vm.id, .power(.start)), as: .running)
  }

  /// A domain like the VM's, under another name and id.
  private static func copy(of vm: VM, on machine: Machine, as id: VMID, _ edit: (String) -> String) async throws {
    let text = try await machine.virsh("dumpxml", "--inactive", vm.id.description)
    let lines = text.split(separator: "\n").filter { !$0.contains("<mac address") }.map { String($0) }
    let renamed = lines.map { line in
      ["<uuid>", "<name>", "<source mode='bind'"].contains { line.contains($0) }
        ? line.replacing(vm.id.description, with: id.description) : line
    }
    let path = "\(machine.description.state)/copy.xml"
    try Data(edit(renamed.joined(separator: "\n")).utf8).write(to: URL(fileURLWithPath: path))
    try await machine.virsh("define", path)
    try await machine.virsh("start", id.description)
  }

  private static func stray(_ lab: Lab) async throws {
    let vm = try await lab.makeVM()
    let machine = try lab.machine(vm.host)
    let id = VMID.make()
    try await copy(of: vm, on: machine, as: id) { $0 }
    try await eventually("it is stopped", within: .seconds(30)) {
      try await machine.virsh("domstate", id.description).contains("shut off")
    }
    try await eventually("administrators see it", within: .seconds(30)) {
      let host = try await lab.admin.get("/iaas/hosts/\(machine.id?.description ?? "")", Models.Host.self)
      return host.quarantined?.contains { $0.id == id } ?? false
    }
    let broken = try await lab.fsck()
    try await machine.virsh("undefine", id.description)
    try require(broken.isEmpty, broken.joined(separator: "\n      "))
    _ = try await lab.settled(try await lab.change(vm.id, .power(.start)), as: .running)
  }

  private static func foreign(_ lab: Lab) async throws {
    let vm = try await lab.makeVM()
    let machine = try lab.machine(vm.host)
    let id = VMID.make()
    try await copy(of: vm, on: machine, as: id) { text in
      text.replacing(/<metadata>(?s:.*?)<\/metadata>/, with: "").replacing("iaas-\(id)", with: "foreign")
    }
    try await Task.sleep(for: .seconds(8))
    let state = try await machine.virsh("domstate", id.description)
    try await machine.virsh("destroy", id.description)
    try await machine.virsh("undefine", id.description)
    try require(state.contains("running"), "somebody else's domain was touched: \(state)")
  }
}
