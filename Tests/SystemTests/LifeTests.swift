import Foundation
import Models
import TestSupport
import Testing

/// The life of a VM with a real guest.
extension SystemTests {
  static let patient = ["Prefer": "wait=60"]
  static let untilSSH = ["Prefer": "wait=60, readiness=ssh"]

  func change(_ id: VMID, _ body: [String: String], _ headers: [String: String] = patient) async throws -> VM {
    let reply = try await admin.call(.PUT, "/iaas/vms/\(id)", body, headers: headers)
    #expect(reply.status == 200, "\(body) \(reply)")
    return try reply.json()
  }

  /// A machine that one can log in to, with the host keys that the API published and no others.
  struct Reachable {
    let vm: VM
    let key: String
    let known: String

    init(_ vm: VM, key: String, folder: String) throws {
      self.vm = vm
      self.key = key
      known = "\(folder)/known-\(vm.id)"
      let keys = try #require(vm.hostKeys)
      try keys.map { "\(vm.id) \($0)\n" }.joined().write(toFile: known, atomically: true, encoding: .utf8)
    }

    func run(_ command: String) async throws -> String {
      let address = try #require(vm.addresses.first).ip
      return try await Shell.run(
        "ssh", "-i", key, "-o", "BatchMode=yes", "-o", "ConnectTimeout=20", "-o", "StrictHostKeyChecking=yes", "-o",
        "HostKeyAlias=\(vm.id)", "-o", "UserKnownHostsFile=\(known)", "root@\(address)", command)
    }
  }

  /// Waits for SSH, however long the machine is busy with other things.
  func reachable(_ id: VMID, key: String, folder: String) async throws -> Reachable {
    var found: VM?
    try await eventually("SSH and host keys", within: .seconds(180)) {
      let vm = try await admin.call(.GET, "/iaas/vms/\(id)?readiness=ssh&wait=30").json(VM.self)
      found = vm
      return vm.readiness.map { $0.stage >= .ssh } ?? false && vm.hostKeys != nil
    }
    return try Reachable(try #require(found), key: key, folder: folder)
  }

  private func cleanNow(_ what: Comment) async throws {
    let fsck = try await stack.fsck()
    #expect(fsck.isClean, "\(what): \(fsck.report)")
  }

  @Test func aGuestLivesThroughEverything() async throws {
    let image = try await image()
    try await TestEnvironment.withFolder { folder in
      let key = "\(folder)/key"
      try await Shell.run("ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", key)
      let publicKey = try String(contentsOfFile: key + ".pub", encoding: .utf8)
      let name = "laptop-\(UUID().uuidString.prefix(8))"
      let kept = try await admin.call(.POST, "/iaas/keys", NewSSHKey(name: name, key: publicKey, isDefault: false))
      #expect(kept.status == 201, "\(kept)")

      let userData = "#cloud-config\n{\"runcmd\": [\"echo from user-data > /root/mark; sync\"]}"
      let request = NewVM(
        image: image.id, mem: 128, vcpus: 1, disk: nil, name: "life", sshKeys: [], keys: [name], userData: userData,
        start: true)
      let created = try await admin.call(.POST, "/iaas/vms", request, headers: Self.untilSSH)
      #expect(created.status == 201 || created.status == 202, "\(created)")
      let id = try created.json(VM.self).id
      // It may have secrets: nobody is shown it again, not even who sent it.
      let (shown, listed) = (try await admin.call(.GET, "/iaas/vms/\(id)"), try await admin.call(.GET, "/iaas/vms"))
      #expect(shown.text.contains("\(id)") && listed.text.contains("\(id)"))
      for answer in [created, shown, listed] { #expect(!answer.text.contains("from user-data"), "\(answer)") }
      var guest = try await reachable(id, key: key, folder: folder)
      let stages = try #require(guest.vm.readiness).steps.map(\.stage)
      #expect(stages.starts(with: [.defined, .booted, .network, .ssh]), "\(stages)")
      try await eventually("the mark of user-data", within: .seconds(60)) {
        try await guest.run("cat /root/mark 2>/dev/null || true") == "from user-data\n"
      }
      try await eventually("cloud-init has ended", within: .seconds(60)) {
        try await vm(id).readiness?.stage == .cloudInit
      }

      // What the state does not allow.
      for body in [["mem": "256M"], ["image": image.id.description]] {
        let reply = try await admin.call(.PUT, "/iaas/vms/\(id)", body)
        #expect(reply.status == 409 && reply.text.contains("running"), "\(reply)")
      }
      #expect(try await change(id, ["state": "pause"]).state == .paused)
      #expect(try await change(id, ["state": "resume"]).state == .running)
      let console = try await admin.call(.GET, "/iaas/vms/\(id)/console")
      #expect(console.text.contains("guest ready: life"), "\(console)")
      #expect(console.headers["content-type"] == "text/plain; charset=utf-8")

      // Saved while it runs: the guest's agent makes it hold still.
      let saved = try await admin.call(
        .POST, "/iaas/vms/\(id)/snapshots", ["name": "saved", "desc": "of life"], headers: Self.patient)
      #expect(saved.status == 201, "\(saved)")
      let snapshot = try saved.json(Models.Image.self)
      #expect(snapshot.state == .available && snapshot.consistency == .frozen && snapshot.vm == id, "\(saved)")
      #expect(try await guest.run("echo awake; touch /root/after") == "awake\n")

      let before = try await vm(id).startedAt
      #expect(try await change(id, ["state": "reboot"]).state == .running)
      guest = try await reachable(id, key: key, folder: folder)
      #expect(guest.vm.startedAt != before)
      #expect(try await guest.run("ls /root/after") == "/root/after\n")
      #expect(try await change(id, ["state": "reset"]).state == .running)
      #expect(try await change(id, ["state": "stop"]).state == .stopped)

      let resized = try await admin.call(
        .PUT, "/iaas/vms/\(id)", ["mem": 160, "vcpus": 2, "disk": 2], headers: Self.patient)
      #expect(resized.status == 200, "\(resized)")
      let renamed = try await change(id, ["name": "lives"])
      #expect(renamed.mem == 160 && renamed.vcpus == 2 && renamed.disk == 2 && renamed.name == "lives")
      #expect(try await change(id, ["state": "start"]).state == .running)
      guest = try await reachable(id, key: key, folder: folder)
      let said = try await guest.run("hostname; nproc; cat /sys/block/vda/size")
      #expect(said == "lives\n2\n\(2 << 21)\n", "\(said)")
      #expect(try await change(id, ["state": "stop"]).state == .stopped)

      // The image of before holds what was there then, and nothing of later.
      let copy = try await admin.call(
        .POST, "/iaas/vms",
        NewVM(image: snapshot.id, mem: 128, vcpus: 1, disk: nil, name: "copy", sshKeys: [publicKey], start: true),
        headers: Self.patient)
      let copyID = try copy.json(VM.self).id
      let twin = try await reachable(copyID, key: key, folder: folder)
      #expect(try await twin.run("cat /root/mark; ls /root/after 2>/dev/null || echo none") == "from user-data\nnone\n")
      #expect(twin.vm.hostKeys != guest.vm.hostKeys)
      try await remove(copyID)

      let rebuilt = try await change(id, ["image": snapshot.id.description])
      #expect(rebuilt.state == .stopped && rebuilt.image == snapshot.id)
      #expect(try await change(id, ["state": "start"]).state == .running)
      let fresh = try await reachable(id, key: key, folder: folder)
      #expect(try await fresh.run("ls /root/after 2>/dev/null || echo none") == "none\n")
      try await cleanNow("after everything")
      try await remove(id)
      #expect(try await admin.call(.DELETE, "/iaas/images/\(snapshot.id)").status == 204)
      let keyID = try kept.json(SSHKey.self).id
      #expect(try await admin.call(.DELETE, "/iaas/keys/\(keyID)").status == 204)
    }
  }

  private func running(_ name: String) async throws -> VM {
    let image = try await image()
    let request = NewVM(image: image.id, mem: 64, vcpus: 1, disk: nil, name: name, sshKeys: [], start: true)
    let vm = try await admin.call(.POST, "/iaas/vms", request, headers: Self.patient).json(VM.self)
    #expect(vm.state == .running, "\(vm)")
    return vm
  }

  private func virsh(_ words: String...) async throws {
    try await Shell.run("virsh", arguments: ["-q", "-c", try stack.description().libvirt] + words)
  }

  @Test func whatIsDoneByHandIsNoticed() async throws {
    let vm = try await running("by-hand")
    let domain = "iaas-\(vm.id)"
    try await virsh("destroy", domain)
    try await eventually("it is seen as stopped") { try await self.vm(vm.id).state == .stopped }
    #expect(try await self.vm(vm.id).reason == "It was stopped on its host.")
    try await virsh("start", domain)
    try await eventually("it is seen as running") { try await self.vm(vm.id).state == .running }
    #expect(try await self.vm(vm.id).reason == "It was started on its host.")
    try await virsh("suspend", domain)
    try await eventually("it is seen as paused") { try await self.vm(vm.id).state == .paused }
    #expect(try await change(vm.id, ["state": "resume"]).state == .running)
    try await virsh("destroy", domain)
    try await virsh("undefine", domain)
    try await eventually("its loss is seen") { try await self.vm(vm.id).state == .error }
    // Its disk is there, and so is all that makes it.
    #expect(try await change(vm.id, ["state": "start"]).state == .running)
    #expect(try await change(vm.id, ["state": "stop"]).state == .stopped)
    // A disk that is gone is not made anew in silence.
    let disk = "\(stack.state)/agent/vms/\(vm.id)/disk.qcow2"
    try FileManager.default.moveItem(atPath: disk, toPath: disk + ".kept")
    let refused = try await admin.call(.PUT, "/iaas/vms/\(vm.id)", ["state": "start"], headers: Self.patient)
    #expect(refused.status == 409 && refused.text.contains("no disk"), "\(refused)")
    try FileManager.default.moveItem(atPath: disk + ".kept", toPath: disk)
    #expect(try await change(vm.id, ["state": "start"]).state == .running)
    try await remove(vm.id)
  }

  /// The processes of QEMU that run a VM.
  private func processes(of id: VMID) throws -> [String] {
    try FileManager.default.contentsOfDirectory(atPath: "/proc").filter { pid in
      guard Int(pid) != nil, let line = FileManager.default.contents(atPath: "/proc/\(pid)/cmdline") else {
        return false
      }
      let text = String(decoding: line, as: UTF8.self)
      return text.contains("qemu-system") && text.contains("guest=iaas-\(id)")
    }
  }

  @Test(arguments: ["compute-agent", "libvirtd", "inventory-service", "postgres"])
  func guestsRunOnWhenAServiceIsKilled(_ service: String) async throws {
    let vm = try await running("runs-on")
    let before = try processes(of: vm.id)
    #expect(before.count == 1)
    try stack.kill(service)
    try await stack.up()
    try await eventually("it is seen as running") { try await self.vm(vm.id).state == .running }
    #expect(try processes(of: vm.id) == before)
    try await cleanNow("after \(service)")
    let again = try await running("after")
    for id in [vm.id, again.id] { try await remove(id) }
  }

  @Test func oneKeyIsOneVM() async throws {
    let image = try await image()
    let body = ["image": image.id.description, "mem": "64M"]
    let headers = ["Idempotency-Key": UUID().uuidString, "Prefer": "wait=60"]
    let replies = try await withThrowingTaskGroup(of: APIUser.Reply.self) { group in
      for _ in 0..<8 { group.addTask { try await admin.call(.POST, "/iaas/vms", body, headers: headers) } }
      return try await group.reduce(into: []) { $0.append($1) }
    }
    #expect(replies.allSatisfy { $0.status == 201 }, "\(replies)")
    let ids = Set(try replies.map { try $0.json(VM.self).id })
    #expect(ids.count == 1)
    let other = try await admin.call(.POST, "/iaas/vms", ["image": image.id.description], headers: headers)
    #expect(other.status == 422, "\(other)")
    for id in ids { try await remove(id) }
  }

  @Test func administratorsAreToldWhyThereIsNoRoom() async throws {
    let image = try await image()
    let reply = try await admin.call(
      .POST, "/iaas/vms", ["image": image.id.description, "mem": "4000G"])
    #expect(reply.status == 507 && reply.text.contains("MiB of memory free"), "\(reply)")
  }
}
