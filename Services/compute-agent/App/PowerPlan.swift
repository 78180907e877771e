import Models

/// What is done to a domain's power to bring it to what was asked for.
enum PowerStep: Equatable, Sendable { case start, suspend, resume, press, destroy }

/// How a VM gets from what it is to what it should be, as far as one call can bring it.
enum PowerPlan {
  /// - Parameter boot: The last start that was carried out.
  /// - Throws: `invalid_state` when a guest should be paused that does not run.
  static func steps(to spec: VMSpec, from power: ObservedPower, boot: Int64) throws -> [PowerStep] {
    switch (spec.power, power) {
    case (.running, .stopped): [.start]
    case (.running, .crashed): [.destroy, .start]
    case (.running, .running) where boot < spec.boot: spec.isForced ? [.destroy, .start] : [.press]
    // A guest that is paused hears no button.
    case (.running, .paused) where boot < spec.boot: spec.isForced ? [.destroy, .start] : [.resume, .press]
    case (.running, .paused): [.resume]
    case (.paused, .running): [.suspend]
    case (.paused, .stopped), (.paused, .crashed): throw ServiceError(.invalidState, "The VM is off.")
    case (.stopped, .running): spec.isForced ? [.destroy] : [.press]
    case (.stopped, .paused), (.stopped, .crashed): [.destroy]
    case (.running, .running), (.paused, .paused), (.stopped, .stopped): []
    }
  }
}
