import Foundation
import Models
import ServiceKit
import TestSupport
import Testing

/// Quotas, as people meet them.
extension SystemTests {
  @Test func twoGatewaysDoNotLetOneMoreThrough() async throws {
    try await withSecondGateway { url in
      let (api, user) = try await newUser()
      let callers = [api, APIUser(url: url, token: api.token)]
      let quota = try await admin.call(.PUT, "/iaas/users/\(user.id)", ["quota": ["images": 10]])
      #expect(quota.status == 200)
      for round in 1...3 {
        let statuses = try await withThrowingTaskGroup(of: Int.self) { group in
          for number in 0..<64 {
            group.addTask {
              try await callers[number % 2].call(.POST, "/iaas/images", ["name": "image \(number)"]).status
            }
          }
          return try await group.reduce(into: [:]) { $0[$1, default: 0] += 1 }
        }
        #expect(statuses == [201: 10, 403: 54], "round \(round)")
        let images = try await api.call(.GET, "/iaas/images").json([Models.Image].self)
        #expect(images.count == 10)
        for image in images { _ = try await callers[1].call(.DELETE, "/iaas/images/\(image.id)") }
      }
      try await remove(user)
    }
  }

  @Test func peopleSeeWhatTheyHaveAndWhyTheyGetNoMore() async throws {
    let (api, user) = try await newUser()
    func account() async throws -> Account { try await api.call(.GET, "/iaas/me").json(Account.self) }
    let fresh = try await account()
    // As the configuration of the stack has it.
    #expect(fresh.limits[.vms] == 10 && fresh.usage?[.vms] == 0 && fresh.usage?[.imageBytes] == 0)
    let path = "/iaas/users/\(user.id)"
    let unknown = try await admin.call(.PUT, path, ["quota": ["group": "nobody"]])
    #expect(unknown.status == 422)
    #expect(try await admin.call(.PUT, path, ["quota": ["group": "small"]]).status == 200)
    #expect(try await account().limits[.images] == 3)
    for number in 1...3 {
      let reply = try await api.call(.POST, "/iaas/images", ["name": "image \(number)"])
      #expect(reply.status == 201)
      #expect(reply.headers["iaas-quota-warning"] == (number == 3 ? "images=3/3" : nil))
    }
    let refusal = try await api.call(.POST, "/iaas/images", ["name": "one more"])
    let problem = try refusal.json(Problem.self)
    #expect(refusal.status == 403 && problem.code == "quota_exceeded")
    #expect(problem.resource == .images && problem.limit == 3 && problem.used == 3 && problem.requested == 1)
    #expect(try await account().usage?[.images] == 3)
    try await remove(user)
  }

  /// An upload that would be too much ends, and its bytes count no more.
  @Test func anUploadEndsAtTheLimit() async throws {
    let (api, user) = try await newUser()
    let quota = try await admin.call(.PUT, "/iaas/users/\(user.id)", ["quota": ["imageBytes": 1 << 20]])
    #expect(quota.status == 200)
    let image = try await api.call(.POST, "/iaas/images", ["name": "large"]).json(Models.Image.self)
    let file = FileManager.default.temporaryDirectory.appending(path: "large-\(UUID().uuidString)")
    try Data(count: 2 << 20).write(to: file)
    defer { try? FileManager.default.removeItem(at: file) }
    let answer = try await Shell.run(
      "curl", "-sS", "-T", file.path, "-H", "Authorization: \(api.token ?? "")", "-H",
      "Content-Type: application/octet-stream", "\(api.url)/iaas/images/\(image.id)/content")
    let problem = try JSON.decoder.decode(Problem.self, from: Data(answer.utf8))
    #expect(problem.code == "quota_exceeded" && problem.resource == .imageBytes && problem.requested == 2 << 20)
    let account = try await api.call(.GET, "/iaas/me").json(Account.self)
    #expect(account.usage?[.imageBytes] == 0)
    try await remove(user)
  }
}
