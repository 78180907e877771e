import Testing

@testable import Libvirt

@Suite struct StateTests {
  @Test func everyStateHasItsNumber() {
    let states: [DomainState] = [.nostate, .running, .blocked, .paused, .shutdown, .shutoff, .crashed, .pmsuspended]
    #expect((0..<8).map { DomainState(rawValue: $0) } == states)
    #expect(DomainState(rawValue: 8) == .unknown(8))
    #expect(DomainState(rawValue: -1) == .unknown(-1))
  }

  @Test func everyShutoffReasonHasItsNumber() {
    let reasons: [ShutoffReason] = [
      .unknown, .shutdown, .destroyed, .crashed, .migrated, .saved, .failed, .fromSnapshot, .daemon,
    ]
    #expect((0..<9).map { ShutoffReason(rawValue: $0) } == reasons)
    #expect(ShutoffReason(rawValue: 9) == .other(9))
  }

  @Test func everyEventHasItsNumber() {
    let kinds: [DomainLifecycleEvent.Kind] = [
      .defined, .undefined, .started, .suspended, .resumed, .stopped, .shutdown, .pmsuspended, .crashed,
    ]
    #expect((0..<9).map { DomainLifecycleEvent.Kind(rawValue: $0) } == kinds)
    #expect(DomainLifecycleEvent.Kind(rawValue: 9) == .other(9))
  }
}
