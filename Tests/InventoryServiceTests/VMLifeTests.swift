import Models
import Testing

@testable import InventoryService

/// The state machine, every pair of a state and an event.
@Suite struct VMLifeTests {
  /// What comes of a request in each state, in the order of `VMState.allCases`: creating, stopped, starting, running,
  /// paused, stopping, deleting, error, unknown. A word of work, `=` for nothing to do, `…` for what is under way already,
  /// `-` for a change without work, `x` for a conflict.
  private static let requests: [(VMRequest, [String])] = [
    (.start, ["x", "start", "…", "=", "x", "x", "x", "start", "x"]),
    (.stop, ["x", "=", "x", "stop", "stop", "…", "x", "stop", "x"]),
    (.reboot, ["x", "x", "x", "reboot", "x", "x", "x", "x", "x"]),
    (.reset, ["x", "x", "x", "reset", "reset", "x", "x", "x", "x"]),
    (.pause, ["x", "x", "x", "pause", "=", "x", "x", "x", "x"]),
    (.resume, ["x", "x", "x", "=", "resume", "x", "x", "x", "x"]),
    (.resize, ["x", "resize", "x", "x", "x", "x", "x", "x", "x"]),
    (.rename, ["-", "-", "-", "-", "-", "-", "x", "-", "-"]),
    (.rebuild, ["x", "rebuild", "x", "x", "x", "x", "x", "rebuild", "x"]),
    (.snapshot, ["x", "capture", "x", "capture", "capture", "x", "x", "x", "x"]),
    (.move, ["x", "move", "x", "x", "x", "x", "x", "x", "x"]),
    (.cap, ["x", "-", "x", "cap", "cap", "x", "x", "-", "x"]),
    (.remove, ["delete", "delete", "delete", "delete", "delete", "delete", "…", "delete", "delete"]),
  ]

  private static func word(_ transition: VMTransition) -> String {
    switch transition {
    case .to(_, _, let work, _): work.map { String($0.rawValue.dropFirst(3)) } ?? "-"
    case .unchanged: "="
    case .underWay: "…"
    case .refused: "x"
    case .forgotten: "forgotten"
    }
  }

  /// A VM as it is in a state when nothing odd has happened.
  private static func life(_ state: VMState) -> VMLife {
    let desired: DesiredState =
      switch state {
      case .starting, .running: .running
      case .paused: .paused
      case .deleting: .deleted
      default: .stopped
      }
    return VMLife(state: state, desired: desired)
  }

  @Test func everyRequestInEveryState() {
    #expect(Self.requests.map(\.0) == VMRequest.allCases)
    for (request, words) in Self.requests {
      for (state, word) in zip(VMState.allCases, words) {
        let transition = VMStateMachine.next(Self.life(state), .asked(request))
        #expect(Self.word(transition) == word, "\(request) in \(state)")
        if case .refused(let sentence) = transition {
          #expect(sentence.contains("The VM is \(state.rawValue)") && sentence.contains(request.participle))
        }
      }
    }
  }

  /// Whatever is asked of a VM that is to be gone, it is gone in the end.
  @Test(arguments: VMState.allCases) func whatIsToBeRemovedIsRemoved(state: VMState) {
    let life = VMLife(state: state, desired: .deleted)
    for request in VMRequest.allCases where request != .remove {
      #expect(Self.word(VMStateMachine.next(life, .asked(request))) == "x", "\(request)")
    }
    for observation in Self.observations {
      let transition = VMStateMachine.next(life, .seen(observation))
      #expect(Self.word(transition) == "delete", "\(observation)")
    }
    #expect(VMStateMachine.next(life, .hostLost) == .forgotten)
    if case .to(let next, _, _, _) = VMStateMachine.next(life, .failed(.vmDelete)) { #expect(next.desired == .deleted) }
  }

  private static let observations: [Observation] =
    [.running, .lostPower, .crashed, .absent]
    + ([nil] + PowerCause.allCases).flatMap { [.stopped($0), .paused($0)] }

  /// What is seen becomes the state, and what nobody asked for is told.
  @Test func everyObservationOfEveryStateAndWish() {
    for state in VMState.allCases {
      for desired in DesiredState.allCases where desired != .deleted {
        for observation in Self.observations {
          let life = VMLife(state: state, desired: desired)
          let transition = VMStateMachine.next(life, .seen(observation))
          let label: Comment = "\(life) seen \(observation)"
          guard case .to(let next, let reason, let work, let starts) = transition else {
            #expect(transition == .unchanged, label)
            #expect(Self.state(observation) == state || observation == .absent, label)
            continue
          }
          let restarts = observation == .lostPower && desired != .stopped
          #expect(next.state == (restarts ? .starting : Self.state(observation)), label)
          #expect(work == (restarts ? .vmStart : nil) && starts == restarts, label)
          if restarts { #expect(next.desired == .running, label) }
          let isSurprise = !restarts && Self.desired(observation) != desired
          if isSurprise { #expect(reason != .none, label) }
        }
      }
    }
  }

  private static func state(_ observation: Observation) -> VMState {
    switch observation {
    case .running: .running
    case .paused: .paused
    case .stopped, .lostPower: .stopped
    case .crashed, .absent: .error
    }
  }

  private static func desired(_ observation: Observation) -> DesiredState {
    switch observation {
    case .running: .running
    case .paused: .paused
    default: .stopped
    }
  }

  @Test func whatWasSeenTwiceChangesNothing() {
    for observation in Self.observations {
      for state in VMState.allCases {
        guard
          case .to(let once, _, nil, _) = VMStateMachine.next(Self.life(state), .seen(observation)),
          Self.life(state).desired != .deleted
        else { continue }
        let again = VMStateMachine.next(once, .seen(observation))
        if case .to(let twice, _, _, _) = again { #expect(twice == once, "\(observation) after \(state)") }
      }
    }
  }

  /// An operation's end leads to a state that does not wait for anything.
  @Test(arguments: VMState.allCases) func operationsEndSomewhere(state: VMState) {
    for power in ObservedPower.allCases {
      guard case .to(let next, _, nil, false) = VMStateMachine.next(Self.life(state), .settled(power)) else {
        Issue.record("\(state) settled \(power)")
        continue
      }
      #expect(next.state == power.state)
    }
    guard case .to(let next, _, nil, false) = VMStateMachine.next(Self.life(state), .failed(.vmStart)) else {
      Issue.record("\(state) failed")
      return
    }
    #expect(next.state == .error)
  }

  @Test func whatLeavesAVMAsItWasLeavesItSoWhenItFails() {
    for kind in [OperationKind.vmResize, .vmCapture, .vmMove, .vmPause, .vmResume, .vmCap] {
      for state in [VMState.stopped, .running, .paused] {
        let wish = VMLife(state: state, desired: kind == .vmPause ? .paused : Self.life(state).desired)
        #expect(VMStateMachine.next(wish, .failed(kind)) == .to(Self.life(state), reason: nil))
      }
    }
  }

  @Test(arguments: VMState.allCases) func silenceIsNoEvidence(state: VMState) {
    let life = Self.life(state)
    switch VMStateMachine.next(life, .silence) {
    case .to(let next, _, nil, false): #expect(next == VMLife(state: .unknown, desired: life.desired))
    case let other: #expect(other == .unchanged)
    }
  }
}
