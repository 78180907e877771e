import Models

/// What a VM should be; kept until something else is asked for.
enum DesiredState: String, Sendable, CaseIterable { case running, paused, stopped, deleted }

/// What people see of a VM, and what was asked for.
struct VMLife: Hashable, Sendable {
  var state: VMState
  var desired: DesiredState
}

/// What can be asked of a VM.
enum VMRequest: Sendable, CaseIterable {
  case start, stop, reboot, reset, pause, resume, resize, rename, rebuild, snapshot, move, cap, remove

  /// The participle, as in "cannot be started".
  var participle: String {
    switch self {
    case .start: "started"
    case .stop: "stopped"
    case .reboot: "rebooted"
    case .reset: "reset"
    case .pause: "paused"
    case .resume: "resumed"
    case .resize: "resized"
    case .rename: "renamed"
    case .rebuild: "rebuilt"
    case .snapshot: "saved"
    case .move: "moved"
    case .cap: "capped"
    case .remove: "removed"
    }
  }
}

/// What a host says of a VM that nothing is being done to.
enum Observation: Hashable, Sendable {
  case running
  case paused(PowerCause?)
  case stopped(PowerCause?)
  /// Off since the host itself was started again.
  case lostPower
  case crashed
  /// The host does not have it.
  case absent
}

enum VMEvent: Hashable, Sendable {
  case asked(VMRequest)
  /// An operation ended with the VM like this.
  case settled(ObservedPower)
  case failed(OperationKind)
  case seen(Observation)
  /// The host has not answered for a while.
  case silence
  /// An administrator gave the host up.
  case hostLost
}

/// What becomes of the sentence on why a VM is in its state.
enum Reason: Equatable, Sendable, ExpressibleByNilLiteral {
  case none, kept
  case text(String)

  init(nilLiteral: ()) { self = .none }
}

/// What the event changes.
enum VMTransition: Equatable, Sendable {
  /// Goes on as this, and has to be worked on if a kind of operation is named.
  /// - Parameter starts: Whether the guest is to be started, anew if it runs.
  case to(VMLife, reason: Reason, work: OperationKind? = nil, starts: Bool = false)
  /// It is so already.
  case unchanged
  /// The operation that is under way will bring it about.
  case underWay(OperationKind)
  /// A conflict: the state does not allow it.
  case refused(String)
  /// Nothing is left of it that could be waited for.
  case forgotten
}

/// The life of a VM: for every state and every event, what comes of it. It knows neither database nor agent.
enum VMStateMachine {
  static func next(_ life: VMLife, _ event: VMEvent) -> VMTransition {
    switch event {
    case .asked(let request): asked(request, life)
    case .settled(let power): settled(power, life)
    case .failed(let kind): failed(kind, life)
    case .seen(let observation): life.desired == .deleted ? removing(life) : seen(observation, life)
    case .silence: silence(life)
    case .hostLost: life.desired == .deleted ? .forgotten : lost(life)
    }
  }

  // MARK: What people ask for

  private static func asked(_ request: VMRequest, _ life: VMLife) -> VMTransition {
    if request == .remove { return life.state == .deleting ? .underWay(.vmDelete) : removing(life) }
    if life.desired == .deleted { return refusal(request, life.state) }
    switch request {
    case .start: return start(life)
    case .stop: return stop(life)
    case .reboot where life.state == .running:
      return .to(VMLife(state: .starting, desired: .running), reason: nil, work: .vmReboot, starts: true)
    case .reset where [.running, .paused].contains(life.state):
      return .to(VMLife(state: .starting, desired: .running), reason: nil, work: .vmReset, starts: true)
    case .pause: return pause(life)
    case .resume: return resume(life)
    case .resize where life.state == .stopped: return .to(life, reason: .kept, work: .vmResize)
    case .rename where life.state != .deleting: return .to(life, reason: .kept)
    case .rebuild where [.stopped, .error].contains(life.state):
      return .to(VMLife(state: .creating, desired: .stopped), reason: nil, work: .vmRebuild)
    case .snapshot where [.stopped, .running, .paused].contains(life.state):
      return .to(life, reason: .kept, work: .vmCapture)
    case .move where life.state == .stopped: return .to(life, reason: .kept, work: .vmMove)
    // What does not run is capped when it starts.
    case .cap where [.running, .paused].contains(life.state): return .to(life, reason: .kept, work: .vmCap)
    case .cap where [.stopped, .error].contains(life.state): return .to(life, reason: .kept)
    default: return refusal(request, life.state)
    }
  }

  private static func start(_ life: VMLife) -> VMTransition {
    switch life.state {
    case .stopped, .error:
      .to(VMLife(state: .starting, desired: .running), reason: nil, work: .vmStart, starts: true)
    case .running: .unchanged
    case .starting: .underWay(.vmStart)
    case .creating, .paused, .stopping, .deleting, .unknown: refusal(.start, life.state)
    }
  }

  private static func stop(_ life: VMLife) -> VMTransition {
    switch life.state {
    case .running, .paused, .error: .to(VMLife(state: .stopping, desired: .stopped), reason: nil, work: .vmStop)
    case .stopped: .unchanged
    case .stopping: .underWay(.vmStop)
    case .creating, .starting, .deleting, .unknown: refusal(.stop, life.state)
    }
  }

  private static func pause(_ life: VMLife) -> VMTransition {
    switch life.state {
    case .running: .to(VMLife(state: .running, desired: .paused), reason: nil, work: .vmPause)
    case .paused: .unchanged
    default: refusal(.pause, life.state)
    }
  }

  private static func resume(_ life: VMLife) -> VMTransition {
    switch life.state {
    case .paused: .to(VMLife(state: .paused, desired: .running), reason: nil, work: .vmResume)
    case .running: .unchanged
    default: refusal(.resume, life.state)
    }
  }

  private static func removing(_ life: VMLife) -> VMTransition {
    .to(VMLife(state: .deleting, desired: .deleted), reason: nil, work: .vmDelete)
  }

  private static func refusal(_ request: VMRequest, _ state: VMState) -> VMTransition {
    let advice =
      switch (request, state) {
      case (_, .unknown): " Its host does not answer; wait for that, or ask an administrator."
      case (_, .creating), (_, .starting), (_, .stopping): " Wait until that is done."
      case (.resize, _), (.rebuild, _), (.move, _): " Stop it first."
      case (.start, .paused): " Resume it."
      default: ""
      }
    return .refused("The VM is \(state.rawValue); it cannot be \(request.participle) now.\(advice)")
  }

  // MARK: What operations come to

  private static func settled(_ power: ObservedPower, _ life: VMLife) -> VMTransition {
    let desired = life.desired == .deleted ? .deleted : power.desired
    return power == .crashed
      ? .to(VMLife(state: .error, desired: desired), reason: .text(crashed))
      : .to(VMLife(state: power.state, desired: desired), reason: nil)
  }

  /// What left the VM as it was changes nothing; what it is after anything else is not known until the next report.
  private static func failed(_ kind: OperationKind, _ life: VMLife) -> VMTransition {
    switch kind {
    case .vmResize, .vmCapture, .vmMove, .vmPause, .vmResume, .vmCap:
      let desired: DesiredState =
        switch life.state {
        case .running: .running
        case .paused: .paused
        case .stopped: .stopped
        default: life.desired
        }
      return .to(VMLife(state: life.state, desired: desired), reason: nil)
    default: return .to(VMLife(state: .error, desired: life.desired == .deleted ? .deleted : .stopped), reason: nil)
    }
  }

  // MARK: What hosts say

  private static let crashed = "The guest crashed."

  /// A change that nobody asked for is taken as it is, and told; only what ended with its host is started again.
  private static func seen(_ observation: Observation, _ life: VMLife) -> VMTransition {
    switch observation {
    case .running:
      let asked = life.desired == .running || life.state == .error
      return observed(.running, life, asked ? nil : "It was started on its host.")
    case .paused(let cause):
      if life.desired == .paused { return observed(.paused, life, nil) }
      return observed(
        .paused, life,
        cause == .disk
          ? "The guest cannot write to its disk: the host's disk is full or failing. Resume it when there is room."
          : "It was paused on its host.")
    case .stopped(let cause):
      if life.desired == .stopped { return observed(.stopped, life, nil) }
      return observed(.stopped, life, reason(cause))
    case .lostPower:
      if life.desired == .stopped { return observed(.stopped, life, nil) }
      return .to(
        VMLife(state: .starting, desired: .running), reason: .text("Its host was started again."), work: .vmStart,
        starts: true)
    case .crashed: return .to(VMLife(state: .error, desired: .stopped), reason: .text(crashed))
    case .absent:
      // What went wrong before says more than that there is nothing.
      if life.state == .error { return .unchanged }
      return .to(
        VMLife(state: .error, desired: .stopped),
        reason: .text("Its host no longer has this VM. Rebuild it from its image, or remove it."))
    }
  }

  private static func observed(_ state: VMState, _ life: VMLife, _ reason: String?) -> VMTransition {
    let desired: DesiredState = state == .running ? .running : state == .paused ? .paused : .stopped
    let next = VMLife(state: state, desired: desired)
    if next == life { return .unchanged }
    // Why an operation failed stays to be read.
    return .to(next, reason: life.state == .error ? .kept : reason.map { .text($0) } ?? .none)
  }

  private static func reason(_ cause: PowerCause?) -> String {
    switch cause {
    case .guest: "The guest shut itself down."
    case .hand: "It was stopped on its host."
    case .failure, .disk: "Its process on the host ended by itself; the host's log says why."
    case nil: "It stopped; its host does not say why."
    }
  }

  private static func silence(_ life: VMLife) -> VMTransition {
    switch life.state {
    case .running, .paused, .stopped, .error:
      .to(VMLife(state: .unknown, desired: life.desired), reason: .text("Its host does not answer."))
    case .creating, .starting, .stopping, .deleting, .unknown: .unchanged
    }
  }

  static let lostReason =
    "Its host was given up, and its disk with it. Rebuild it on another host from its image, or remove it."

  /// What it should be is kept, for a host that comes back after all.
  private static func lost(_ life: VMLife) -> VMTransition {
    .to(VMLife(state: .error, desired: life.desired), reason: .text(lostReason))
  }
}

extension ObservedPower {
  var state: VMState {
    switch self {
    case .running: .running
    case .paused: .paused
    case .stopped: .stopped
    case .crashed: .error
    }
  }

  fileprivate var desired: DesiredState {
    switch self {
    case .running: .running
    case .paused: .paused
    case .stopped, .crashed: .stopped
    }
  }
}
