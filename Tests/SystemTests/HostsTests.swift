import Foundation
import Models
import ServiceKit
import TestSupport
import Testing

/// One more hypervisor host on this machine, with a libvirtd, an agent and a network of its own.
struct LabHost: Decodable, Sendable {
  let name: String
  let addr: String
  let user: String
  let password: String
  let uri: String
  let state: String

  static let script = "\(TestEnvironment.root.path)/Tests/Hosts/host"

  /// Makes it; it sees the image store, as hosts with a shared folder do, or fetches images.
  static func start(_ name: String, in folder: String, images: String) async throws -> LabHost {
    let text = try await Shell.run(
      script, "start", "--env", "IAAS_IMAGES_DIR=\(images)", "\(folder)/\(name)", name)
    return try JSONDecoder().decode(LabHost.self, from: Data(text.utf8))
  }

  func tell(_ command: String) async throws { try await Shell.run(Self.script, command, state) }

  func virsh(_ words: String...) async throws -> String {
    try await Shell.run("virsh", arguments: ["-q", "-c", uri] + words)
  }

  /// The names of the domains that run there.
  func running() async throws -> Set<String> {
    Set(try await virsh("list", "--name").split(separator: "\n").map(String.init))
  }
}

/// Several hosts: VMs are spread, moved, and rebuilt where a host is lost. It needs root.
extension SystemTests {
  private func withHosts(_ names: [String], _ body: ([Models.Host], [LabHost]) async throws -> Void) async throws {
    let folder = "/tmp/iaas-h\(UUID().uuidString.prefix(6))"
    try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
    var labs: [LabHost] = []
    var hosts: [Models.Host] = []
    do {
      for name in names {
        let lab = try await LabHost.start(name, in: folder, images: "\(stack.state)/images")
        labs.append(lab)
        let body = ["addr": lab.addr, "user": lab.user, "password": lab.password]
        let added = try await admin.call(.POST, "/iaas/hosts", body)
        #expect(added.status == 201, "\(added)")
        hosts.append(try added.json())
      }
      try await body(hosts, labs)
      try await end(hosts, labs, folder)
    } catch {
      try? await end(hosts, labs, folder)
      throw error
    }
  }

  private func end(_ hosts: [Models.Host], _ labs: [LabHost], _ folder: String) async throws {
    for host in hosts {
      let path = "/iaas/hosts/\(host.id)?cascade=true"
      let removed = try await admin.call(.DELETE, path, headers: Self.patient)
      #expect(removed.status == 204 || removed.status == 404, "\(removed)")
    }
    for lab in labs { try await lab.tell("clean") }
    try? FileManager.default.removeItem(atPath: folder)
  }

  private func say(_ state: String, of host: Models.Host) async throws -> Models.Host {
    let reply = try await admin.call(.PUT, "/iaas/hosts/\(host.id)", ["state": state])
    #expect(reply.status == 200, "\(reply)")
    return try reply.json()
  }

  private func add(group: String? = nil, start: Bool = false) async throws -> VM {
    let image = try await image()
    let request = NewVM(
      image: image.id, mem: 64, vcpus: 1, disk: nil, name: nil, sshKeys: [], group: group, start: start)
    let reply = try await admin.call(.POST, "/iaas/vms", request, headers: Self.patient)
    #expect(reply.status == 201, "\(reply)")
    return try reply.json()
  }

  @Test func vmsAreSpreadDrainedAndMoved() async throws {
    try await withHosts(["alpha", "beta"]) { hosts, _ in
      var vms: [VM] = []
      for _ in 0..<3 { vms.append(try await add(group: "spread")) }
      #expect(Set(vms.compactMap(\.host)).count == 3)
      let (alpha, beta) = (hosts[0], hosts[1])
      #expect(try await say("maintenance", of: alpha).state == .maintenance)
      let moving = try #require(vms.first { $0.host == alpha.id })
      // Its group is on beta already.
      let refused = try await admin.call(.PUT, "/iaas/vms/\(moving.id)", ["host": beta.id.description])
      #expect(refused.status == 507, "\(refused)")
      let member = try #require(vms.first { $0.host == beta.id })
      try await remove(member.id)
      let moved = try await change(moving.id, ["host": beta.id.description])
      #expect(moved.host == beta.id && moved.state == .stopped)
      #expect(try await change(moving.id, ["state": "start"]).state == .running)
      for _ in 0..<3 { #expect(try await add().host != alpha.id) }
      let gone = try await admin.call(.DELETE, "/iaas/hosts/\(alpha.id)")
      #expect(gone.status == 204, "\(gone)")
      let fsck = try await stack.fsck()
      #expect(fsck.isClean, "\(fsck.report)")
      for vm in try await admin.call(.GET, "/iaas/vms").json([VM].self) { try await remove(vm.id) }
    }
  }

  @Test func aLostHostsVMsAreRebuiltAndNeverRunTwice() async throws {
    try await withHosts(["gamma"]) { hosts, labs in
      let (gamma, lab) = (hosts[0], labs[0])
      let image = try await image()
      // The other hosts are out of the way for placement.
      let others = try await admin.call(.GET, "/iaas/hosts").json([Models.Host].self).filter { $0.id != gamma.id }
      for host in others { _ = try await say("maintenance", of: host) }
      let vm = try await add(start: true)
      for host in others { _ = try await say("up", of: host) }
      #expect(vm.host == gamma.id && vm.state == .running)

      try await lab.tell("cut")
      try await eventually("the host is missed", within: .seconds(60)) { try await self.vm(vm.id).state == .unknown }
      // Silence is no evidence.
      let refused = try await admin.call(.PUT, "/iaas/vms/\(vm.id)", ["image": image.id.description])
      #expect(refused.status == 409 && refused.text.contains("unknown"), "\(refused)")

      #expect(try await say("dead", of: gamma).state == .dead)
      #expect(try await self.vm(vm.id).state == .error)
      let rebuilt = try await change(vm.id, ["image": image.id.description])
      #expect(rebuilt.host != gamma.id && rebuilt.state == .stopped)
      #expect(try await change(vm.id, ["state": "start"]).state == .running)

      try await lab.tell("mend")
      try await eventually("the old copy is put aside", within: .seconds(60)) {
        try await admin.call(.GET, "/iaas/hosts/\(gamma.id)").json(Models.Host.self).quarantined?.map(\.id) == [vm.id]
      }
      #expect(try await lab.running().isEmpty)
      #expect(try await lab.virsh("list", "--all", "--name").contains(vm.id.description))
      #expect(try await self.vm(vm.id).state == .running)
      #expect(try await say("up", of: gamma).state == .up)
      let fsck = try await stack.fsck()
      #expect(fsck.isClean, "\(fsck.report)")
      try await remove(vm.id)
    }
  }

  @Test func vmsRunAgainAfterTheirHostLostItsPower() async throws {
    try await withHosts(["delta"]) { hosts, labs in
      let delta = hosts[0]
      let others = try await admin.call(.GET, "/iaas/hosts").json([Models.Host].self).filter { $0.id != delta.id }
      for host in others { _ = try await say("maintenance", of: host) }
      let on = try await add(start: true)
      let off = try await add()
      for host in others { _ = try await say("up", of: host) }
      #expect(on.host == delta.id && off.host == delta.id)
      try await labs[0].tell("power-off")
      try await labs[0].tell("power-on")
      try await eventually("it runs again", within: .seconds(90)) {
        let now = try await self.vm(on.id)
        return now.state == .running && now.startedAt != on.startedAt
      }
      #expect(try await self.vm(off.id).state == .stopped)
      #expect(try await labs[0].running() == ["iaas-\(on.id)"])
      for id in [on.id, off.id] { try await remove(id) }
    }
  }
}
