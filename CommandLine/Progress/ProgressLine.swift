import Models
import Synchronization

/// The line of a terminal that shows how far something is. Without a terminal it shows nothing.
final class ProgressLine: Sendable {
  private struct State {
    var throttle = Throttle(interval: .milliseconds(200))
    var isShown = false
    var hasEnded = false
  }

  private let console: any Console
  private let state = Mutex(State())

  init(console: any Console) { self.console = console }

  /// Draws the line, unless it was drawn just now; says whether there is a terminal to draw it on.
  @discardableResult
  func show(_ label: String, _ progress: OperationProgress) -> Bool {
    draw { ProgressBar.text(label, progress, width: $0) }
  }

  /// Draws what cannot be counted, as `show` does.
  func show(_ text: String) -> Bool { draw { Text.printable(text, limit: max(0, $0 - 1)) } }

  private func draw(_ text: (_ width: Int) -> String) -> Bool {
    guard let width = console.terminalWidth else { return false }
    state.withLock { state in
      guard !state.hasEnded, state.throttle.allows(at: .now) else { return }
      console.redraw(text(width))
      state.isShown = true
    }
    return true
  }

  /// Takes the line away, so that another can be printed.
  func clear() { state.withLock { clear(&$0) } }

  /// Takes the line away for good: whoever still reports from another task is not heard any more.
  func end() {
    state.withLock { state in
      clear(&state)
      state.hasEnded = true
    }
  }

  private func clear(_ state: inout State) {
    guard state.isShown else { return }
    console.redraw("")
    state.isShown = false
    state.throttle = Throttle(interval: state.throttle.interval)
  }
}

/// Lets something happen only so often.
struct Throttle {
  let interval: Duration
  private var last: ContinuousClock.Instant?

  init(interval: Duration) { self.interval = interval }

  /// Whether the interval has passed since this was last true.
  mutating func allows(at now: ContinuousClock.Instant) -> Bool {
    if let last, now < last + interval { return false }
    last = now
    return true
  }
}
