import Models

/// How the waiting for a guest ended: the VM as it was last seen, and why the guest is not there yet, if so.
struct GuestArrival: Sendable {
  let vm: Fetched<VMView>
  let failure: CommandFailure?
}

/// Waits until the guest of a VM has come as far as it shall.
struct GuestWaiter: Sendable {
  /// Seconds that a guest has, unless --timeout says otherwise.
  static let standardLimit = 300
  /// Seconds that the server holds a question back; and where people look on.
  private static let longWait = 30
  private static let watchedWait = 1
  /// The states from which a VM does not come to run by itself.
  private static let deadEnds: [VMState] = [.stopped, .stopping, .paused, .deleting, .error]

  let client: APIClient
  let console: any Console
  /// Least time between two questions, should the server answer without waiting.
  let pause: Duration
  let start: ContinuousClock.Instant
  /// Seconds from the start.
  let limit: Int

  func wait(for stage: GuestStage, of vm: Fetched<VMView>) async -> GuestArrival {
    let deadline = start + .seconds(limit)
    let line = ProgressLine(console: console)
    defer { line.end() }
    var last = vm
    var told: String?
    do {
      while !stage.isReached(by: last.value) {
        try check(last.value, stage, deadline)
        told = show(last.value, stage, on: line, unless: told)
        let asked = ContinuousClock.now
        last = try await question(last.value, stage.next(for: last.value), seconds: asked.seconds(to: deadline))
        guard !stage.isReached(by: last.value) else { break }
        try await Task.sleep(until: min(asked + pause, deadline))
      }
    } catch {
      return GuestArrival(vm: last, failure: error as? CommandFailure ?? CommandFailure(.failed, "Interrupted."))
    }
    line.clear()
    if told != nil { console.tell("\(last.value.shortName): \(stage.rawValue) reached") }
    return GuestArrival(vm: last, failure: nil)
  }

  /// - Throws: `CommandFailure` when there is nothing to wait for, or no time.
  private func check(_ vm: VMView, _ stage: GuestStage, _ deadline: ContinuousClock.Instant) throws {
    guard !Self.deadEnds.map(\.rawValue).contains(vm.state) else { throw vm.isElsewhere }
    guard ContinuousClock.now < deadline else {
      let far = vm.reached.max().map { "is as far as \($0.rawValue)" } ?? "is \(vm.state)"
      throw CommandFailure(
        .timedOut, "The VM \(vm.label) \(far), and not \(stage.rawValue), after \(limit) s.", Self.goesOn(vm))
    }
  }

  /// Tells what is waited for: over and over in a terminal's line, and elsewhere once.
  private func show(_ vm: VMView, _ stage: GuestStage, on line: ProgressLine, unless told: String?) -> String {
    let next = stage == .running ? stage.rawValue : stage.next(for: vm).rawValue
    let goal = next == stage.rawValue ? next : "\(next) … \(stage.rawValue)"
    let text = "\(vm.shortName): waiting for \(goal)"
    let isDrawn = line.show("\(text)  \(Int((ContinuousClock.now - start) / .seconds(1))) s")
    if !isDrawn, text != told { console.tell(text) }
    return text
  }

  private func question(_ vm: VMView, _ stage: ReadinessStage, seconds: Int) async throws -> Fetched<VMView> {
    let held = min(console.terminalWidth == nil ? Self.longWait : Self.watchedWait, seconds)
    let query = [(name: "readiness", value: stage.rawValue), (name: "wait", value: "\(held)")]
    do {
      return try await client.get(VMView.self, VMView.path(vm.id), query: query, held: held)
    } catch let failure as CommandFailure {
      throw CommandFailure(failure.status, lines: failure.lines + [Self.goesOn(vm)])
    }
  }

  private static func goesOn(_ vm: VMView) -> String { "The guest goes on. See: iaas vm show \(vm.id)" }
}

extension VMView {
  /// The failure of a VM that is in another state than the wanted one.
  var isElsewhere: CommandFailure {
    CommandFailure(.failed, "The VM \(label) is \(state)\(reason.map { ": \($0)" } ?? ".")")
  }
}
