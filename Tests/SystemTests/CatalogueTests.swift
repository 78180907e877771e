import Foundation
import Models
import TestSupport
import Testing

/// Images, shares and lists as clients meet them.
extension SystemTests {
  /// Someone new, for as long as the body lasts.
  private func withUser(_ body: (APIUser, Models.User) async throws -> Void) async throws {
    let email = "eve+\(UUID().uuidString.prefix(8))@example.org"
    let added = try await admin.call(.POST, "/iaas/users", ["email": email, "password": "a long password"])
    let user = try added.json(Models.User.self)
    try await body(try await stack.logIn(email: email, password: "a long password"), user)
    let removed = try await admin.call(.DELETE, "/iaas/users/\(user.id)")
    #expect(removed.status == 204, "\(removed)")
  }

  @Test func sharesGiveWhatTheirRoleSaysAndGoWithTheUser() async throws {
    let image = try await image()
    let shares = "/iaas/images/\(image.id)/shares"
    try await withUser { eve, user in
      #expect(try await admin.call(.POST, shares, ["user": "nobody at all"]).status == 422)
      // Who may not share a thing learns nothing of who there is.
      for name in [user.email, "nobody at all"] {
        #expect(try await eve.call(.POST, shares, ["user": name]).status == 404)
      }
      let share = try await admin.call(.POST, shares, ["user": user.email.uppercased(), "role": "viewer"])
      let permission = try share.json(Permission.self)
      #expect(share.status == 201 && permission.id == user.id && permission.email == user.email)
      #expect(try await eve.call(.GET, "/iaas/images/\(image.id)").status == 200)
      let refused = try await eve.call(.POST, "/iaas/vms", ["image": image.id.description])
      #expect(refused.status == 403 && refused.text.contains("operator"), "\(refused)")
      #expect(try await eve.call(.GET, shares).status == 403)

      let raised = try await admin.call(.POST, shares, ["user": user.id.description])
      #expect(try raised.json(Permission.self).role == .owner)
      let listed = try await eve.call(.GET, shares).json([Permission].self)
      #expect(listed.map(\.email).contains(user.email) && listed.allSatisfy { $0.resource.uuid == image.id.uuid })
      let escaped = user.email.replacing("+", with: "%2B").replacing("@", with: "%40")
      #expect(try await admin.call(.DELETE, "\(shares)/\(escaped)").status == 204)
      #expect(try await eve.call(.GET, "/iaas/images/\(image.id)").status == 404)
      #expect(try await admin.call(.DELETE, "\(shares)/\(escaped)").status == 404)
      #expect(try await admin.call(.POST, shares, ["user": user.id.description, "role": "operator"]).status == 201)
    }
    #expect(try await admin.call(.GET, shares).json([Permission].self).count == 1)
    let owner = try await admin.call(.GET, shares).json([Permission].self)[0].user
    #expect(try await admin.call(.DELETE, "\(shares)/\(owner)").status == 409)
  }

  /// The two shapes of a query string, pages, and a list that is streamed because it has no limit.
  @Test func listsArePagedSortedAskedAndStreamed() async throws {
    try await withUser { eve, user in
      // More than one batch of a streamed list.
      let count = 520
      let quota = try await admin.call(.PUT, "/iaas/users/\(user.id)", ["quota": ["images": count]])
      #expect(quota.status == 200)
      let sevens = (0..<count).filter { $0 % 100 == 7 }.count
      try await withThrowingTaskGroup(of: Void.self) { group in
        for lane in 0..<8 {
          group.addTask {
            for number in stride(from: lane, to: count, by: 8) {
              let reply = try await eve.call(.POST, "/iaas/images", ["name": "image \(number % 100)", "desc": "d"])
              #expect(reply.status == 201)
            }
          }
        }
        try await group.waitForAll()
      }
      let all = try await eve.call(.GET, "/iaas/images")
      let images = try all.json([Models.Image].self)
      #expect(images.count == count && Set(images.map(\.id)).count == count)
      #expect(all.headers["total-count"] == "\(count)" && all.headers["link"] == nil)
      #expect(zip(images, images.dropFirst()).allSatisfy { $0.createdAt <= $1.createdAt })

      for query in ["name+%3D+'image+7'", "name%20=%20'image%207'", "name='image 7'".replacing(" ", with: "%20")] {
        let found = try await eve.call(.GET, "/iaas/images?query=\(query)").json([Models.Image].self)
        #expect(found.count == sevens && found.allSatisfy { $0.name == "image 7" })
      }
      #expect(try await eve.call(.GET, "/iaas/images?query=").json([Models.Image].self).count == count)
      let bad = try await eve.call(.GET, "/iaas/images?query=name%20=")
      #expect(bad.status == 400 && bad.text.contains("\"bad_query\"") && bad.text.contains("character 7"), "\(bad)")

      var path: String? = "/iaas/images?sort=-name&limit=250&query=name%20!=%20'image%207'"
      var seen: [String] = []
      while let next = path {
        let page = try await eve.call(.GET, next)
        #expect(page.status == 200 && page.headers["total-count"] == "\(count - sevens)")
        seen += try page.json([Models.Image].self).map(\.name)
        path = page.headers["link"].flatMap { $0.firstMatch(of: /<([^>]*)>; rel="next"/) }.map { String($0.1) }
      }
      #expect(seen.count == count - sevens && zip(seen, seen.dropFirst()).allSatisfy { $0 >= $1 })

      let ids = images.map(\.id)
      try await withThrowingTaskGroup(of: Void.self) { group in
        for lane in 0..<8 {
          group.addTask {
            for index in stride(from: lane, to: ids.count, by: 8) {
              let reply = try await eve.call(.DELETE, "/iaas/images/\(ids[index])")
              #expect(reply.status == 204)
            }
          }
        }
        try await group.waitForAll()
      }
    }
  }

  /// What people do with curl: `-T` sends a file, `--limit-rate` makes it slow enough to be cut.
  @Test func anUploadIsStreamedAndACutOneLeavesNothing() async throws {
    let guest = try TestEnvironment.required("IAAS_TEST_GUEST")
    let created = try await admin.call(.POST, "/iaas/images", ["name": "uploaded"])
    let image = try created.json(Models.Image.self)
    #expect(created.status == 201 && image.state == .importing && created.headers["operation-location"] == nil)
    let content = "\(admin.url)/iaas/images/\(image.id)/content"
    let authorization = "Authorization: \(admin.token ?? "")"
    let common = ["-sS", "-w", "\n%{http_code}", "-H", authorization, content]

    let large = [
      "-X", "PUT", "-H", "Content-Type: application/octet-stream", "-H", "Content-Length: 99999999999999",
      "--data-binary", "x", "--max-time", "20",
    ]
    // An answer that comes before the content does harms nobody who is served after it.
    for _ in 0..<5 {
      let refused = try await Shell.run("curl", arguments: common + large)
      #expect(refused.hasSuffix("\n413") && refused.contains("too_large"), "\(refused)")
    }
    let form = try await Shell.run(
      "curl", arguments: common + ["-X", "PUT", "-d", "a=b", "-H", "Content-Type: text/plain"])
    #expect(form.hasSuffix("\n415"))
    await #expect(throws: Shell.Failed.self) {
      try await Shell.run("curl", arguments: common + ["-T", guest, "--limit-rate", "4M", "--max-time", "2"])
    }
    let store = "\(stack.state)/images/staging"
    try await eventually("the cut upload is cleared away") {
      try FileManager.default.contentsOfDirectory(atPath: store).isEmpty
    }
    #expect(try await admin.call(.GET, "/iaas/images/\(image.id)").json(Models.Image.self).state == .importing)

    let sent = try await Shell.run("curl", arguments: common + ["-T", guest, "-H", "Prefer: wait=60"])
    #expect(sent.hasSuffix("\n200"), "\(sent)")
    let stored = try await admin.call(.GET, "/iaas/images/\(image.id)").json(Models.Image.self)
    #expect(stored.state == .available && stored.url == nil)
    let renamed = try await admin.call(.PUT, "/iaas/images/\(image.id)", ["name": "other"])
    #expect(try renamed.json(Models.Image.self).name == "other")
    #expect(try await admin.call(.DELETE, "/iaas/images/\(image.id)").status == 204)
  }

  /// A host that does not see the image store fetches an image once, however many VMs ask for it at the same time.
  @Test func aHostWithoutTheStoreFetchesAnImageOnce() async throws {
    let image = try await image()
    let folder = "\(stack.state)/agent"
    try? FileManager.default.removeItem(atPath: "\(folder)/cache")
    try await stack.up(with: "IAAS_AGENT_IMAGES=/nowhere")
    func fetches() async throws -> Int {
      let log = try #require(try stack.description().logs["inventory-service"])
      let lines = try String(contentsOfFile: log, encoding: .utf8).split(separator: "\n")
      return lines.filter { $0.contains("/v1/content/") && $0.contains("answered") }.count
    }
    let before = try await fetches()
    let admin = admin
    let vms = try await withThrowingTaskGroup(of: VMID.self) { group in
      for _ in 0..<4 {
        group.addTask {
          let body = ["image": image.id.description, "mem": "128"]
          let reply = try await admin.call(.POST, "/iaas/vms", body, headers: ["Prefer": "wait=60"])
          let vm = try reply.json(VM.self)
          #expect(vm.state == .stopped, "\(reply)")
          return vm.id
        }
      }
      return try await group.reduce(into: [VMID]()) { $0.append($1) }
    }
    #expect(try await fetches() == before + 1)
    let cached = try FileManager.default.contentsOfDirectory(atPath: "\(folder)/cache")
    #expect(cached == ["\(image.sha256 ?? "").qcow2"])
    let links =
      try FileManager.default.attributesOfItem(atPath: "\(folder)/cache/\(cached[0])")[.referenceCount] as? Int
    #expect(links == 5)
    let started = try await admin.call(.PUT, "/iaas/vms/\(vms[0])", ["state": "start"], headers: ["Prefer": "wait=60"])
    #expect(try started.json(VM.self).state == .running)
    try await eventually("an address", within: .seconds(120)) { try await !vm(vms[0]).addresses.isEmpty }
    for id in vms { try await remove(id) }
    // By URL alone nobody gets an image: the signature is wrong, absent, or of another image.
    let url = "http://127.0.0.1:\(try await inventoryPort())/v1/content/\(image.id)"
    for query in ["", "?expires=99999999999&signature=\(String(repeating: "0", count: 64))"] {
      #expect(try await admin.call(.GET, "", to: url + query).status == 401)
    }
    try await stack.up()
  }

  private func inventoryPort() async throws -> String {
    let log = try #require(try stack.description().logs["inventory-service"])
    let text = try String(contentsOfFile: log, encoding: .utf8)
    return String(try #require(text.firstMatch(of: /listening.*?127\.0\.0\.1:(\d+)/)).1)
  }
}
