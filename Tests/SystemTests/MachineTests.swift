import Foundation
import Models
import TestSupport
import Testing

/// The whole system with a real guest, as its users meet it.
@Suite(.serialized, .timeLimit(.minutes(10))) struct SystemTests {
  let stack: Stack
  let admin: APIUser

  init() async throws {
    stack = try Stack()
    try await stack.up()
    admin = try await stack.administrator()
  }

  /// The guest image in the catalogue; imported once for all tests.
  func image() async throws -> Models.Image {
    let found = try await admin.call(.GET, "/iaas/images").json([Models.Image].self)
    if let image = found.first(where: { $0.name == "guest" && $0.state == .available }) { return image }
    let path = try TestEnvironment.required("IAAS_TEST_GUEST")
    return try await FileServer.serving(folder: (path as NSString).deletingLastPathComponent) { url in
      let body = ["url": "\(url)/\((path as NSString).lastPathComponent)", "name": "guest", "desc": "for tests"]
      let reply = try await admin.call(.POST, "/iaas/images", body, headers: ["Prefer": "wait=60"])
      #expect(reply.status == 201)
      let image = try reply.json(Models.Image.self)
      #expect(image.state == .available, "\(reply)")
      return image
    }
  }

  func vm(_ id: VMID) async throws -> VM { try await admin.call(.GET, "/iaas/vms/\(id)").json() }

  /// The domains of ours that libvirt has, by the ids in their names.
  private func domains() async throws -> Set<String> {
    let uri = try stack.description().libvirt
    let names = try await Shell.run("virsh", "-q", "-c", uri, "list", "--all", "--name").split(separator: "\n")
    return Set(names.filter { $0.hasPrefix("iaas-") }.map { String($0.dropFirst("iaas-".count)) })
  }

  func remove(_ id: VMID) async throws {
    let reply = try await admin.call(.DELETE, "/iaas/vms/\(id)", headers: ["Prefer": "wait=60"])
    #expect(reply.status == 204, "\(reply)")
  }

  /// Makes a VM, starts it, runs a command in it over SSH, stops and removes it.
  /// - Returns: What the command said.
  func run(_ command: String, on image: ImageID, mem: Int, patience: Duration) async throws -> String {
    try await TestEnvironment.withFolder { folder in
      let key = "\(folder)/key"
      try await Shell.run("ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", key)
      let publicKey = try String(contentsOfFile: key + ".pub", encoding: .utf8).trimmingCharacters(in: .newlines)
      let request = NewVM(
        image: image, mem: mem, vcpus: 1, disk: nil, name: "hello", sshKeys: [publicKey], start: false)
      let created = try await admin.call(.POST, "/iaas/vms", request, headers: ["Prefer": "wait=60"])
      #expect(created.status == 201)
      let id = try created.json(VM.self).id
      #expect(try created.json(VM.self).state == .stopped, "\(created)")

      let started = try await admin.call(.PUT, "/iaas/vms/\(id)", ["state": "start"], headers: ["Prefer": "wait=60"])
      #expect(started.status == 200)
      #expect(try started.json(VM.self).state == .running)
      try await eventually("an address", within: patience) { try await !vm(id).addresses.isEmpty }
      let address = try await vm(id).addresses[0].ip
      var said = ""
      try await eventually("SSH", within: patience) {
        let outcome = try? await Shell.run(
          "ssh", "-i", key, "-o", "BatchMode=yes", "-o", "ConnectTimeout=10", "-o", "StrictHostKeyChecking=no", "-o",
          "UserKnownHostsFile=\(folder)/known", "root@\(address)", command)
        said = outcome ?? ""
        return outcome != nil
      }
      let stopped = try await admin.call(.PUT, "/iaas/vms/\(id)", ["state": "stop"], headers: ["Prefer": "wait=60"])
      #expect(try stopped.json(VM.self).state == .stopped, "\(stopped)")
      try await remove(id)
      #expect(try await admin.call(.GET, "/iaas/vms/\(id)").status == 404)
      #expect(try await !domains().contains(id.description))
      return said
    }
  }

  @Test func fromAnImageToACommandOverSSH() async throws {
    let image = try await image()
    #expect(try await run("hostname", on: image.id, mem: 128, patience: .seconds(120)) == "hello\n")
  }

  /// The image that Debian's own tools make, through the cache of a host that does not see the store. It takes minutes to
  /// make and a minute and more to boot where it is emulated, so it is `make test-debian` that asks for it.
  @Test(.enabled(if: TestEnvironment.optional("IAAS_TEST_DEBIAN") != nil))
  func aRealDebianIsImportedCachedAndBooted() async throws {
    let path = try TestEnvironment.required("IAAS_TEST_DEBIAN")
    try await stack.up(with: "IAAS_AGENT_IMAGES=/nowhere")
    let image = try await FileServer.serving(folder: (path as NSString).deletingLastPathComponent) { url in
      let body = ["url": "\(url)/\((path as NSString).lastPathComponent)", "name": "debian", "desc": "a real one"]
      let added = try await admin.call(.POST, "/iaas/images", body).json(Models.Image.self)
      try await eventually("the import has ended", within: .seconds(120)) {
        try await admin.call(.GET, "/iaas/images/\(added.id)").json(Models.Image.self).state != .importing
      }
      return try await admin.call(.GET, "/iaas/images/\(added.id)").json(Models.Image.self)
    }
    #expect(image.state == .available, "\(image)")
    let said = try await run("cat /etc/os-release; hostname", on: image.id, mem: 512, patience: .seconds(300))
    #expect(said.contains("Debian GNU/Linux 12") && said.hasSuffix("hello\n"), "\(said)")
    let cached = try FileManager.default.contentsOfDirectory(atPath: "\(stack.state)/agent/cache")
    #expect(cached.contains("\(image.sha256 ?? "").qcow2"))
    #expect(try await admin.call(.DELETE, "/iaas/images/\(image.id)").status == 204)
    try await stack.up()
  }

  @Test func whatIsMineIsHiddenFromOthers() async throws {
    let image = try await image()
    let name = "eve-\(UUID().uuidString.prefix(8))"
    let added = try await admin.call(.POST, "/iaas/users", ["email": name, "password": "a long password"])
    #expect(added.status == 201)
    let eve = try await stack.logIn(email: name, password: "a long password")
    let created = try await admin.call(.POST, "/iaas/vms", ["image": image.id.description, "mem": "64M"])
    let id = try created.json(VM.self).id
    #expect(try await eve.call(.GET, "/iaas/vms").text == "[]")
    #expect(try await eve.call(.GET, "/iaas/images").text == "[]")
    let hidden = try await eve.call(.GET, "/iaas/vms/\(id)").json(ProblemWithoutID.self)
    #expect(try await eve.call(.GET, "/iaas/vms/\(VMID.make())").json(ProblemWithoutID.self) == hidden)
    for reply in [
      try await eve.call(.PUT, "/iaas/vms/\(id)", ["state": "start"]), try await eve.call(.DELETE, "/iaas/vms/\(id)"),
      try await eve.call(.DELETE, "/iaas/images/\(image.id)"),
      try await eve.call(.POST, "/iaas/vms", ["image": image.id.description]),
    ] { #expect(reply.status == 404) }
    #expect(try await eve.call(.POST, "/iaas/users", ["email": "x", "password": "y"]).status == 403)
    let host = ["addr": "127.0.0.1", "user": "a", "password": "b"]
    #expect(try await eve.call(.POST, "/iaas/hosts", host).status == 403)
    try await remove(id)
    #expect(try await eve.call(.DELETE, "/iaas/sessions").status == 204)
    #expect(try await eve.call(.GET, "/iaas/vms").status == 401)
    let user = try added.json(Models.User.self).id
    #expect(try await admin.call(.DELETE, "/iaas/users/\(user)").status == 204)
  }

  struct ProblemWithoutID: Decodable, Equatable {
    let type: String, title: String, status: Int, detail: String, code: String
  }

  @Test(arguments: ["-", "127.0.0.1:1", "127.0.0.1:1/x"])
  func aHostThatIsNoneIsRefused(_ addr: String) async throws {
    let reply = try await admin.call(.POST, "/iaas/hosts", ["addr": addr, "user": "agent", "password": "x"])
    #expect(reply.status == 422, "\(reply)")
  }

  @Test func theAgentRefusesAllButItsInstallation() async throws {
    let hosts = try await admin.call(.GET, "/iaas/hosts").json([Models.Host].self)
    let addr = try #require(hosts.first?.addr)
    for header in ["X-None: 1", "Authorization: Bearer wrong"] {
      let status = try await Shell.run(
        "curl", "-sk", "-o", "/dev/null", "-w", "%{http_code}", "-H", header, "https://\(addr)/v1/report")
      #expect(status == "401")
    }
    let again = try await admin.call(.POST, "/iaas/hosts", ["addr": addr, "user": "agent", "password": "wrong"])
    #expect(again.status == 409)
    // Refused before the agent was asked: the installation still has its secret.
    let host = try #require(hosts.first)
    #expect(try await admin.call(.GET, "/iaas/hosts/\(host.id)").json(Models.Host.self).state == .up)
  }

  /// An image whose backing file is a canary outside of it never becomes available, and shows none of its bytes.
  @Test func anImageThatReachesForAFileOfTheHostIsRefused() async throws {
    try await TestEnvironment.withFolder { folder in
      let canary = "\(folder)/canary"
      try Data(repeating: 0x43, count: 1 << 20).write(to: URL(fileURLWithPath: canary))
      try await Shell.run(
        "qemu-img", "create", "-q", "-f", "qcow2", "-b", canary, "-F", "raw", "\(folder)/backing.qcow2")
      try Data("<html>404</html>".utf8).write(to: URL(fileURLWithPath: "\(folder)/page.qcow2"))
      try await FileServer.serving(folder: folder) { url in
        for (file, code) in [
          ("backing.qcow2", "unsafe_image"), ("page.qcow2", "bad_format"), ("none", "source_failed"),
        ] {
          let reply = try await admin.call(
            .POST, "/iaas/images", ["url": "\(url)/\(file)", "name": "bad", "desc": ""], headers: ["Prefer": "wait=60"])
          let image = try reply.json(Models.Image.self)
          #expect(image.state == .error && image.error?.code == code, "\(reply)")
          #expect(!FileManager.default.fileExists(atPath: "\(stack.state)/images/\(image.id).qcow2"))
          #expect(try await admin.call(.DELETE, "/iaas/images/\(image.id)").status == 204)
        }
      }
    }
    let staging = try FileManager.default.contentsOfDirectory(atPath: "\(stack.state)/images/staging")
    #expect(staging.isEmpty)
  }

  @Test func aForbiddenURLIsRefusedAtTheDoor() async throws {
    for url in ["http://169.254.169.254/latest/meta-data", "file:///etc/passwd", "http://[::ffff:10.0.0.1]/x"] {
      let reply = try await admin.call(.POST, "/iaas/images", ["url": url, "name": "bad", "desc": ""])
      #expect(reply.status == 422 && reply.text.contains("url_forbidden"), "\(reply)")
    }
  }

  /// kill -9 of one service at several moments of a VM's creation; after a restart the VM is created, or failed with a
  /// reason, and libvirt has a domain of ours for exactly the VMs that the inventory has.
  @Test(arguments: ["gateway", "auth-service", "inventory-service", "compute-agent"])
  func killedInTheMiddleOfCreatingAVM(_ service: String) async throws {
    let image = try await image()
    for delay in [0, 40, 120, 250] {
      let request = NewVM(image: image.id, mem: 64, vcpus: 1, disk: nil, name: nil, sshKeys: [], start: true)
      let accepted = try await admin.call(.POST, "/iaas/vms", request, headers: ["Prefer": "respond-async"])
      #expect(accepted.status == 202, "\(accepted)")
      let id = try accepted.json(VM.self).id
      let operation = try #require(accepted.headers["operation-location"])
      try await Task.sleep(for: .milliseconds(delay))
      try stack.kill(service)
      try await stack.up()
      try await eventually("the operation ends", within: .seconds(120)) {
        let reply = try await admin.call(.GET, operation + "?wait=20")
        return reply.status == 200 ? try reply.json(Models.Operation.self).status.isSettled : false
      }
      let vm = try await vm(id)
      #expect(vm.state == .running || (vm.state == .error && vm.reason != nil), "\(vm)")
      let known = try await admin.call(.GET, "/iaas/vms").json([VM].self).map(\.id.description)
      #expect(try await domains().isSubset(of: Set(known)))
      try await remove(id)
      #expect(try await domains().contains(id.description) == false)
    }
  }
}
