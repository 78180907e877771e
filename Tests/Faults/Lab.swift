import Foundation
import Models
import ServiceKit
import TestSupport

/// The installation that is struck: every process of it, and an administrator's client.
final class Lab: Sendable {
  let folder: String
  let web: String
  let postgres: Database
  let auth: Replica
  let inventories: [Replica]
  let gateways: [Replica]
  let machines: [Machine]
  let admin: Client
  /// What most VMs are made from.
  let image: ImageID
  /// Somebody to share with.
  let friend: UserID

  /// Starts the services, adds the hosts and imports an image.
  static func make(folder: String, root: String) async throws -> Lab {
    let parts = try Parts(folder: folder, root: root)
    for replica in [parts.auth] + parts.inventories + parts.gateways { try replica.start() }
    for replica in [parts.auth] + parts.inventories + parts.gateways { try await replica.bringBack() }
    var admin = Client(gateways: parts.gateways.map { "http://127.0.0.1:\($0.port)" }, token: nil)
    let password = try Self.line("\(folder)/secrets/admin-password")
    let session = try await admin.insist(.POST, "/iaas/sessions", ["email": "admin", "password": password])
    try require(session.status == 201, "log-in: \(session)")
    admin.token = String(decoding: session.data, as: UTF8.self)
    for machine in parts.machines { try await enrol(machine, admin) }
    let friend = try await admin.insist(
      .POST, "/iaas/users", ["email": "friend", "password": "a long password"]
    ).json(User.self)
    let image = try await addImage("base", url: "\(parts.web)/disk.qcow2", admin)
    return Lab(parts, admin: admin, image: image, friend: friend.id)
  }

  private init(_ parts: Parts, admin: Client, image: ImageID, friend: UserID) {
    folder = parts.folder
    web = parts.web
    postgres = parts.postgres
    auth = parts.auth
    inventories = parts.inventories
    gateways = parts.gateways
    machines = parts.machines
    self.admin = admin
    self.image = image
    self.friend = friend
  }

  static func line(_ path: String) throws -> String {
    try String(contentsOfFile: path, encoding: .utf8).trimmingCharacters(in: .whitespacesAndNewlines)
  }

  private static func enrol(_ machine: Machine, _ admin: Client) async throws {
    let answer = try await admin.insist(
      .POST, "/iaas/hosts",
      NewHost(
        addr: machine.description.addr, user: machine.description.user, password: machine.description.password,
        fingerprint: nil))
    let host = try answer.json(Models.Host.self)
    machine.id = host.id
    // Emulated guests that do nothing need no processor of their own.
    let factors = HostUpdate(state: nil, overcommit: Overcommit(cpus: 50, mem: 1, disk: 1))
    _ = try await admin.insist(.PUT, "/iaas/hosts/\(host.id)", factors).json(Models.Host.self)
  }

  private static func addImage(_ name: String, url: String, _ admin: Client) async throws -> ImageID {
    let request = NewImage(url: url, name: name, desc: "")
    let image = try await admin.insist(.POST, "/iaas/images", request, wait: 30).json(Models.Image.self)
    try require(image.state == .available, "the image: \(image)")
    return image.id
  }

  /// Everything that can be killed and brought back.
  var victims: [any Victim] { [auth] + inventories + gateways + machines }

  func machine(_ id: HostID?) throws -> Machine {
    guard let machine = machines.first(where: { $0.id == id }) else {
      throw Unexpected("no such host: \(id?.description ?? "none")")
    }
    return machine
  }

  /// Ends every fault: what was killed or halted runs, what was cut is mended, nothing is armed.
  func heal() async throws {
    for victim in victims {
      victim.disarmAll()
      victim.send(SIGCONT)
    }
    try await postgres.bringBack()
    try await withThrowingTaskGroup(of: Void.self) { group in
      for machine in machines {
        group.addTask {
          try await machine.tell("mend")
          if machine.libvirtd == nil { try await machine.tell("libvirtd-start") }
          if !machine.isRunning { try await machine.bringBack() }
        }
      }
      for replica in [auth] + inventories + gateways { group.addTask { try await replica.bringBack() } }
      try await group.waitForAll()
    }
  }

  private func underWay() async throws -> [Models.Operation] {
    try await admin.get("/iaas/operations?query=status%20IN%20('pending','running')")
  }

  func isIdle() async throws -> Bool { try await underWay().isEmpty }

  /// Waits until no operation is under way and every host answers.
  func quiet(within time: Duration = .seconds(150)) async throws {
    let end = ContinuousClock.now + time
    var busy = "nothing"
    while ContinuousClock.now < end {
      let operations = try await underWay()
      let hosts = try await admin.get("/iaas/hosts", [Models.Host].self).filter { $0.state == .unreachable }
      if operations.isEmpty, hosts.isEmpty { return }
      busy =
        (operations.map { "\($0.kind.rawValue) of \($0.resource) (\($0.step ?? "-"))" }
        + hosts.map { "host \($0.hostname ?? "") is \($0.state.rawValue)" }).joined(separator: ", ")
      try await Task.sleep(for: .milliseconds(150))
    }
    throw Unexpected("it does not come to rest: \(busy)")
  }

  /// What the installation's own check finds.
  /// - Returns: Nothing when all is well.
  func fsck(settle: Int = 30) async throws -> [String] {
    var environment = inventories[0].environment
    environment["IAAS_FAILPOINTS"] = nil
    environment["IAAS_AUTH_URL"] = "http://127.0.0.1:\(auth.port)"
    environment["IAAS_CALLER_SECRET"] = "\(folder)/secrets/gateway"
    let words = ["-i"] + environment.map { "\($0.key)=\($0.value)" }
    let check = ["\(folder)/bin/inventory-service", "fsck", "--settle", "\(settle)"]
    let outcome = try await Tool.run("env", words + check)
    if outcome.status == 0 { return [] }
    let status = outcome.status.map { "\($0)" } ?? "none"
    return ["fsck ended \(status)"] + (outcome.output + outcome.errors).split(separator: "\n").map { String($0) }
  }

  /// Removes all VMs, and all images but the first.
  func clear() async throws {
    for vm in try await admin.get("/iaas/vms", [VM].self) {
      let answer = try await admin.insist(.DELETE, "/iaas/vms/\(vm.id)")
      try require(answer.isSuccess || answer.status == 404, "removal: \(answer)")
    }
    for image in try await admin.get("/iaas/images", [Models.Image].self) where image.id != self.image {
      let answer = try await admin.insist(.DELETE, "/iaas/images/\(image.id)")
      try require(answer.isSuccess || answer.status == 404, "removal: \(answer)")
    }
    try await quiet()
    let left = try await admin.get("/iaas/vms", [VM].self)
    try require(left.isEmpty, "VMs that cannot be removed: \(left)")
  }
}

/// The processes, before they are started.
private struct Parts {
  let folder: String
  let web: String
  let postgres: Database
  let auth: Replica
  let inventories: [Replica]
  let gateways: [Replica]
  let machines: [Machine]

  init(folder: String, root: String) throws {
    self.folder = folder
    web = try Lab.line("\(folder)/run/web.url")
    postgres = Database(folder: "\(folder)/postgres", script: "\(root)/Deploy/private-postgres")
    let secrets = "\(folder)/secrets"
    machines = try ["alpha", "beta", "gamma"].map { try Machine($0, in: folder, root: root) }
    let machine = machines[0].description.gatewayAddr
    let auth = try Replica(
      "auth", of: "auth-service", in: folder, port: Ports.free(),
      [
        "IAAS_HTTP_HOST": "127.0.0.1", "IAAS_POSTGRES": try Lab.line("\(folder)/run/auth.db"),
        "IAAS_CALLERS": "gateway=\(secrets)/gateway", "IAAS_TOKEN_KEYS": "\(secrets)/token-keys",
        "IAAS_SEAL_KEY": "\(secrets)/auth-seal-key", "IAAS_ADMIN_EMAIL": "admin",
        "IAAS_ADMIN_PASSWORD_FILE": "\(secrets)/admin-password",
      ])
    let database = try Lab.line("\(folder)/run/inventory.db")
    let inventories = try (1...2).map { number in
      let port = Ports.free()
      return try Replica(
        "inventory-\(number)", of: "inventory-service", in: folder, port: port,
        [
          "IAAS_HTTP_HOST": "0.0.0.0", "IAAS_CONTENT_URL": "http://\(machine):\(port)", "IAAS_POSTGRES": database,
          "IAAS_CALLERS": "gateway=\(secrets)/gateway", "IAAS_SEAL_KEY": "\(secrets)/seal-key",
          "IAAS_IMAGES_DIR": "\(folder)/images", "IAAS_IMAGES_RESERVE_MIB": "8", "IAAS_IMPORT_ALLOW": "127.0.0.1/32",
          "IAAS_LEASE_SECONDS": "3", "IAAS_STOP_GRACE_SECONDS": "2",
        ])
    }
    self.auth = auth
    self.inventories = inventories
    gateways = try inventories.enumerated().map { number, inventory in
      try Replica(
        "gateway-\(number + 1)", of: "gateway", in: folder, port: Ports.free(), health: "/iaas/health",
        [
          "IAAS_HTTP_HOST": "127.0.0.1", "IAAS_AUTH_URL": "http://127.0.0.1:\(auth.port)",
          "IAAS_INVENTORY_URL": "http://127.0.0.1:\(inventory.port)", "IAAS_CALLER_SECRET": "\(secrets)/gateway",
        ])
    }
  }
}

/// The one Postgres.
struct Database: Sendable {
  let folder: String
  let script: String

  var pid: pid_t? {
    let text = try? String(contentsOfFile: "\(folder)/pid", encoding: .utf8)
    guard let pid = text?.split(separator: " ").first.flatMap({ pid_t($0) }), ProcessTable.isRunning(pid) else {
      return nil
    }
    return pid
  }

  func strike() async throws {
    if let pid { kill(pid, SIGKILL) }
    try await eventually("Postgres is dead", within: .seconds(10)) { pid == nil }
  }

  func bringBack() async throws { if pid == nil { try await Shell.run(script, "start", folder) } }
}
