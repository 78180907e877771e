import Foundation
import Models
import Testing

@Suite struct CapsTests {
  @Test func theyAreReadWithTheirBounds() throws {
    let text = #"{"cpuShare": 50, "diskBytesPerSecond": 1048576, "netBytesPerSecond": null}"#
    let caps = try JSONDecoder().decode(Caps.self, from: Data(text.utf8))
    #expect(caps == Caps(cpuShare: 50, diskBytesPerSecond: 1_048_576))
    #expect(try JSONDecoder().decode(Caps.self, from: JSONEncoder().encode(caps)) == caps)
  }

  @Test(arguments: [
    #"{"cpuShare": 0}"#, #"{"cpuShare": 101}"#, #"{"diskBytesPerSecond": 1}"#, #"{"diskOperationsPerSecond": -1}"#,
    #"{"netBytesPerSecond": 9223372036854775807}"#, #"{"cpu": 1}"#,
  ])
  func whatNoGuestCouldLiveWithIsRefused(text: String) {
    #expect(throws: ServiceError.self) { try JSONDecoder().decode(Caps.self, from: Data(text.utf8)) }
  }

  @Test func aQuotaMayHoldThem() throws {
    let quota = Quota(limits: [.vms: .at(2)], group: "small", caps: Caps(cpuShare: 25))
    #expect(try JSONDecoder().decode(Quota.self, from: JSONEncoder().encode(quota)) == quota)
  }

  @Test func aVMIsCappedByAChangeOfItsOwn() throws {
    func change(_ text: String) throws -> VMChange {
      try JSONDecoder().decode(VMUpdate.self, from: Data(text.utf8)).change
    }
    #expect(try change(#"{"caps": {"cpuShare": 10}}"#) == .cap(Caps(cpuShare: 10)))
    #expect(try change(#"{"caps": null}"#) == .cap(.none))
    #expect(throws: ServiceError.self) { try change(#"{"caps": null, "state": "start"}"#) }
  }

  @Test func whatIsOpenComesFromTheOthers() {
    let own = Caps(cpuShare: 80)
    let defaults = Caps(cpuShare: 50, netBytesPerSecond: 1 << 20)
    #expect(own.completed(by: defaults) == Caps(cpuShare: 80, netBytesPerSecond: 1 << 20))
    #expect(Caps.none.completed(by: defaults) == defaults && own.completed(by: .none) == own)
  }

  @Test func levelsAreReachedOnce() {
    #expect(QuotaEvent.levels(from: 0, to: 8, of: 10) == [80])
    #expect(QuotaEvent.levels(from: 8, to: 9, of: 10) == [])
    #expect(QuotaEvent.levels(from: 7, to: 10, of: 10) == [80, 100])
    #expect(QuotaEvent.levels(from: 10, to: 11, of: 10) == [] && QuotaEvent.levels(from: 0, to: 1, of: 0) == [])
    #expect(QuotaEvent.levels(from: 0, to: .max, of: .max) == [80, 100])
  }
}
