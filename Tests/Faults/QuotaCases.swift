import Foundation
import Models

/// Many who ask at once, through both gateways and inventories, for more than they may have.
enum QuotaCases {
  static let all: [Case] = [
    Case(name: "quota: 64 at once against 10 images", limit: 900, body: images),
    Case(name: "quota: 64 at once against 10 VMs", limit: 900, body: vms),
    Case(name: "quota: 64 resizes at once against 12 vCPUs", limit: 900, body: resizes),
    Case(name: "quota: 64 imports at once against the bytes of 10", limit: 900, body: imports),
  ]

  private static let many = 64
  private static let most = 10

  /// How often each is tried; `IAAS_FAULTS_ROUNDS` says otherwise.
  private static func rounds(_ usual: Int) -> Int {
    ProcessInfo.processInfo.environment["IAAS_FAULTS_ROUNDS"].flatMap { Int($0) } ?? usual
  }

  /// Someone new who may use the image of the lab.
  static func person(_ lab: Lab, _ quota: [String: Int64]) async throws -> (client: Client, id: UserID) {
    let credentials = ["email": "person-\(UUID().uuidString.prefix(8))", "password": "a long password"]
    let user = try await lab.admin.insist(.POST, "/iaas/users", credentials).json(User.self)
    try await limit(user.id, quota, lab)
    let share = ["user": user.id.description, "role": "operator"]
    _ = try await lab.admin.insist(.POST, "/iaas/images/\(lab.image)/shares", share).json(Permission.self)
    var client = lab.admin
    let session = try await client.insist(.POST, "/iaas/sessions", credentials)
    client.token = String(decoding: session.data, as: UTF8.self)
    return (client, user.id)
  }

  private static func limit(_ user: UserID, _ quota: [String: Int64], _ lab: Lab) async throws {
    _ = try await lab.admin.insist(.PUT, "/iaas/users/\(user)", ["quota": quota]).json(User.self)
  }

  /// How often each status was answered to as many requests at once.
  private static func atOnce(
    _ body: @escaping @Sendable (_ number: Int) async throws -> Answer
  ) async throws -> [Int: Int] {
    try await withThrowingTaskGroup(of: Answer.self) { group in
      for number in 0..<many { group.addTask { try await body(number) } }
      var statuses: [Int: Int] = [:]
      for try await answer in group {
        if answer.status == 403 { try require(answer.problem == "quota_exceeded", "\(answer)") }
        statuses[answer.status, default: 0] += 1
      }
      return statuses
    }
  }

  private static func use(_ client: Client) async throws -> [QuotaResource: Int64] {
    try await client.get("/iaas/me", Account.self).usage ?? [:]
  }

  private static func images(_ lab: Lab) async throws {
    let (client, user) = try await person(lab, ["images": Int64(most)])
    for round in 1...rounds(50) {
      let statuses = try await atOnce { number in
        try await client.call(.POST, "/iaas/images", ["name": "image \(number)"], gateway: number % 2, seconds: 60)
      }
      try require(statuses == [201: most, 403: many - most], "round \(round): \(statuses)")
      for image in try await client.get("/iaas/images?query=owner='\(user)'", [Models.Image].self) {
        _ = try await client.insist(.DELETE, "/iaas/images/\(image.id)")
      }
      try require(try await use(client)[.images] == 0, "round \(round): images are left")
    }
    try await remove(user, lab)
  }

  private static func vms(_ lab: Lab) async throws {
    let (client, user) = try await person(lab, ["vms": Int64(most)])
    for round in 1...rounds(3) {
      let statuses = try await atOnce { number in
        try await client.call(.POST, "/iaas/vms", lab.smallVM("vm-\(number)"), gateway: number % 2, seconds: 60)
      }
      try require(statuses == [202: most, 403: many - most], "round \(round): \(statuses)")
      for vm in try await client.get("/iaas/vms", [VM].self) {
        _ = try await client.insist(.DELETE, "/iaas/vms/\(vm.id)")
      }
      try await lab.quiet()
      try require(try await use(client)[.vms] == 0, "round \(round): VMs are left")
    }
    try await remove(user, lab)
  }

  /// Four VMs that want to grow to 4 vCPUs each.
  private static func resizes(_ lab: Lab) async throws {
    let (client, user) = try await person(lab, ["vcpus": 12])
    for round in 1...rounds(2) {
      var vms: [VMID] = []
      for _ in 0..<4 {
        let answer = try await client.insist(.POST, "/iaas/vms", lab.smallVM())
        vms.append(try await lab.settled(answer, as: .stopped).id)
      }
      let all = vms
      for target in 2...4 {
        _ = try await atOnce { number in
          let size = VMSize(mem: nil, vcpus: target, disk: nil)
          return try await client.call(
            .PUT, "/iaas/vms/\(all[number % 4])", VMUpdate(.resize(size)), gateway: number / 4 % 2, seconds: 60)
        }
        try await lab.quiet()
      }
      let used = try await use(client)[.vcpus, default: 0]
      let held = try await client.get("/iaas/vms", [VM].self).map(\.vcpus).reduce(0, +)
      try require(used == 12 && held == 12, "round \(round): \(used) vCPUs count, and the VMs have \(held)")
      for vm in all { _ = try await client.insist(.DELETE, "/iaas/vms/\(vm)") }
      try await lab.quiet()
    }
    try await remove(user, lab)
  }

  private static func imports(_ lab: Lab) async throws {
    let image = try await lab.admin.get("/iaas/images/\(lab.image)", Models.Image.self)
    let bytes = try image.size ?? { throw Unexpected("the image has no size") }()
    let (client, user) = try await person(lab, ["imageBytes": bytes * Int64(most) + bytes / 2])
    for round in 1...rounds(1) {
      let statuses = try await atOnce { number in
        let request = NewImage(url: "\(lab.web)/disk.qcow2", name: "import \(number)", desc: "")
        return try await client.call(.POST, "/iaas/images", request, gateway: number % 2, seconds: 60)
      }
      // How many have begun says nothing of how many fit.
      try require(statuses[202, default: 0] + statuses[201, default: 0] == many, "round \(round): \(statuses)")
      try await lab.quiet()
      let mine = try await client.get("/iaas/images?limit=100&query=owner='\(user)'", [Models.Image].self)
      let made = mine.filter { $0.state == .available }.count
      let refused = mine.filter { $0.error?.code == "quota_exceeded" }.count
      try require(made == most && refused == many - most, "round \(round): \(made) imported, \(refused) refused")
      let used = try await use(client)[.imageBytes]
      try require(used == bytes * Int64(most), "round \(round): \(used ?? 0) bytes count")
      for image in mine { _ = try await client.insist(.DELETE, "/iaas/images/\(image.id)") }
    }
    try await remove(user, lab)
  }

  static func remove(_ user: UserID, _ lab: Lab) async throws {
    let answer = try await lab.admin.insist(.DELETE, "/iaas/users/\(user)")
    try require(answer.status == 204, "\(answer)")
  }
}
