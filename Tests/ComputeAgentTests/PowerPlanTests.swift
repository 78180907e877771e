import Models
import Testing

@testable import ComputeAgent

@Suite struct PowerPlanTests {
  struct Case: Sendable {
    let power: ObservedPower
    /// That was carried out; asked for is the third.
    let boot: Int64
    let steps: [PowerStep]
    let forced: [PowerStep]
  }

  @Test(arguments: [
    Case(power: .stopped, boot: 2, steps: [.start], forced: [.start]),
    Case(power: .stopped, boot: 3, steps: [.start], forced: [.start]),
    Case(power: .crashed, boot: 3, steps: [.destroy, .start], forced: [.destroy, .start]),
    Case(power: .running, boot: 3, steps: [], forced: []),
    Case(power: .running, boot: 4, steps: [], forced: []),
    Case(power: .running, boot: 2, steps: [.press], forced: [.destroy, .start]),
    Case(power: .paused, boot: 3, steps: [.resume], forced: [.resume]),
    Case(power: .paused, boot: 2, steps: [.resume, .press], forced: [.destroy, .start]),
  ])
  func toRunning(_ one: Case) throws { try check(one, .running) }

  @Test(arguments: [
    Case(power: .stopped, boot: 3, steps: [], forced: []),
    Case(power: .crashed, boot: 3, steps: [.destroy], forced: [.destroy]),
    Case(power: .running, boot: 3, steps: [.press], forced: [.destroy]),
    Case(power: .paused, boot: 3, steps: [.destroy], forced: [.destroy]),
  ])
  func toStopped(_ one: Case) throws { try check(one, .stopped) }

  @Test(arguments: [
    Case(power: .running, boot: 3, steps: [.suspend], forced: [.suspend]),
    Case(power: .paused, boot: 3, steps: [], forced: []),
  ])
  func toPaused(_ one: Case) throws { try check(one, .paused) }

  private func check(_ one: Case, _ desired: DesiredPower) throws {
    for (isForced, steps) in [(false, one.steps), (true, one.forced)] {
      let spec = Samples.spec(power: desired, boot: 3, isForced: isForced)
      #expect(try PowerPlan.steps(to: spec, from: one.power, boot: one.boot) == steps)
    }
  }

  @Test(arguments: [ObservedPower.stopped, .crashed])
  func whatIsOffCannotBePaused(_ power: ObservedPower) async {
    let code = await Samples.code {
      _ = try PowerPlan.steps(to: Samples.spec(power: .paused), from: power, boot: 1)
    }
    #expect(code == .invalidState)
  }
}
