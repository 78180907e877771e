import Foundation
import Models
import TestSupport
import Testing

@testable import Gateway

@Suite struct QuotaPolicyTests {
  private let policy = QuotaPolicy(
    defaults: Quota(limits: [.vms: .at(3), .mem: .at(100), .disk: .at(10)]),
    groups: ["student": Quota(limits: [.vms: .at(1), .disk: .unlimited])])

  private func user(admin: Bool = false, _ quota: Quota = Quota()) -> User {
    User(id: .make(), email: "a", admin: admin, quota: quota, createdAt: .now, lastLoginAt: nil)
  }

  private func limits(_ numbers: [QuotaResource: Int64] = [:], revision: Int64 = 0) -> Limits {
    Limits(numbers, revision: revision, defaults: [.vms: 3, .mem: 100, .disk: 10])
  }

  @Test func whatIsSetForThePersonGoesFirstThenTheGroupThenTheDefaults() {
    #expect(policy.limits(of: user(), revision: 7) == limits([.vms: 3, .mem: 100, .disk: 10], revision: 7))
    let student = user(Quota(limits: [.mem: .at(50), .images: .at(0)], group: "student"))
    #expect(policy.limits(of: student, revision: 0) == limits([.vms: 1, .mem: 50, .images: 0]))
    #expect(policy.limits(of: user(Quota(limits: [.vms: .unlimited])), revision: 0).numbers[.vms] == nil)
    // A group that was taken out of the configuration leaves the defaults.
    #expect(policy.limits(of: user(Quota(group: "gone")), revision: 0).numbers[.vms] == 3)
  }

  @Test func administratorsHaveOnlyWhatIsSetForThem() {
    #expect(policy.limits(of: user(admin: true), revision: 0) == limits())
    #expect(policy.limits(of: user(admin: true, Quota(limits: [.vms: .at(2)])), revision: 0) == limits([.vms: 2]))
    #expect(policy.limits(of: user(admin: true, Quota(group: "student")), revision: 0) == limits([.vms: 1]))
  }

  @Test func aGroupThatThereIsNotIsRefused() throws {
    try policy.check(nil)
    try policy.check(Quota(group: "student"))
    let refusal = #expect(throws: ServiceError.self) { try policy.check(Quota(group: "teacher")) }
    #expect(refusal?.message == "quota.group: must be one of student.")
    #expect(throws: ServiceError.self) { try QuotaPolicy().check(Quota(group: "student")) }
  }

  @Test func theFileIsReadOrRefusedWithWhatItShouldBe() async throws {
    try await TestEnvironment.withFolder { folder in
      let path = "\(folder)/quotas.json"
      func write(_ text: String) throws { try Data(text.utf8).write(to: URL(fileURLWithPath: path)) }
      try write(#"{"defaults": {"vms": 3, "mem": null}, "groups": {"small": {"vms": 1}}}"#)
      #expect(
        try QuotaPolicy.load(path)
          == QuotaPolicy(
            defaults: Quota(limits: [.vms: .at(3), .mem: .unlimited]), groups: ["small": Quota(limits: [.vms: .at(1)])])
      )
      for text in ["", "{", #"{"defaults": {"vms": -1}}"#, #"{"defaults": {"cows": 1}}"#, #"{"limits": {}}"#] {
        try write(text)
        #expect(throws: (any Error).self, "\(text)") { try QuotaPolicy.load(path) }
      }
      #expect(throws: (any Error).self) { try QuotaPolicy.load("\(folder)/none") }
    }
    #expect(try QuotaPolicy.load(nil) == QuotaPolicy())
  }
}
