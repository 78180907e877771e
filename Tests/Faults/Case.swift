import Foundation

/// A fault, and what must come of it.
struct Case: Sendable {
  let name: String
  /// Whether it belongs to the few that are always tried.
  var isShort = false
  /// Seconds that it may take.
  var limit = 180
  let body: @Sendable (Lab) async throws -> Void
}

/// A case that cannot be tried here, and why.
struct Skipped: Error {
  let reason: String
}

/// Tries cases one after another, checks the installation after each, and tells what came out.
struct Runner: Sendable {
  let lab: Lab
  let logs: LogMarks

  /// - Returns: How many failed.
  func run(_ cases: [Case], times: Int) async -> Int {
    var failures = 0
    for each in cases {
      for round in 1...max(times, 1) {
        let name = times > 1 ? "\(each.name) (\(round))" : each.name
        if await !run(each, as: name) { failures += 1 }
      }
    }
    return failures
  }

  private func run(_ each: Case, as name: String) async -> Bool {
    let begun = ContinuousClock.now
    let marks = logs.now()
    var problems: [String] = []
    Watchdog.expect(name, within: each.limit + 300)
    do { try await Bounded.run(within: .seconds(each.limit)) { try await each.body(lab) } } catch let skipped as Skipped
    {
      Report.line("skip", begun, "\(name): \(skipped.reason)")
      return true
    } catch { problems.append("\(error)") }
    problems += await settle()
    Report.line(problems.isEmpty ? "ok" : "FAILED", begun, name)
    for problem in problems { Report.say("      \(problem)") }
    if !problems.isEmpty { logs.keep(since: marks, as: name) }
    return problems.isEmpty
  }

  /// Mends everything and checks it, before and after all is removed.
  private func settle() async -> [String] {
    var problems: [String] = []
    func note(_ body: () async throws -> [String]) async {
      do { problems += try await body() } catch { problems.append("\(error)") }
    }
    await note {
      try await Bounded.run(within: .seconds(60)) { try await lab.heal() }
      try await lab.quiet()
      return try await lab.fsck()
    }
    await note {
      try await lab.clear()
      return []
    }
    return problems
  }
}

/// What people read.
enum Report {
  /// At once, also into a pipe.
  static func say(_ text: String) { FileHandle.standardOutput.write(Data("\(text)\n".utf8)) }

  static func line(_ word: String, _ begun: ContinuousClock.Instant, _ text: String) {
    let seconds = Double((ContinuousClock.now - begun) / .milliseconds(1)) / 1000
    let time = String(format: "%6.1f s", seconds)
    Report.say("\(word.padding(toLength: 6, withPad: " ", startingAt: 0)) \(time)  \(text)")
  }
}

/// Ends what takes too long, as far as it lets itself be ended.
enum Bounded {
  static func run<Value: Sendable>(
    within time: Duration, _ body: @escaping @Sendable () async throws -> Value
  ) async throws -> Value {
    try await withThrowingTaskGroup(of: Value.self) { group in
      group.addTask { try await body() }
      group.addTask {
        try await Task.sleep(for: time)
        throw Unexpected("not done after \(time)")
      }
      defer { group.cancelAll() }
      guard let value = try await group.next() else { throw CancellationError() }
      return value
    }
  }
}

/// Ends the program when something does not let itself be ended.
enum Watchdog {
  private final class Deadline: @unchecked Sendable {
    // Guarded by the lock.
    var name = ""
    var end = ContinuousClock.now + .seconds(600)
    let lock = NSLock()
  }

  private static let deadline = Deadline()

  static func start() {
    let thread = Thread {
      while true {
        sleep(1)
        let (name, isOver) = deadline.lock.withLock { (deadline.name, ContinuousClock.now > deadline.end) }
        guard isOver else { continue }
        Report.say("FAILED \(name): hangs")
        exit(1)
      }
    }
    thread.start()
  }

  static func expect(_ name: String, within seconds: Int) {
    deadline.lock.withLock {
      deadline.name = name
      deadline.end = ContinuousClock.now + .seconds(seconds)
    }
  }
}

/// How long the logs are, so that what a case wrote can be told from the rest.
struct LogMarks: Sendable {
  let lab: Lab

  private var files: [String] {
    let names = (try? FileManager.default.contentsOfDirectory(atPath: "\(lab.folder)/logs")) ?? []
    return names.filter { $0.hasSuffix(".log") }.map { "\(lab.folder)/logs/\($0)" }
      + lab.machines.map { "\($0.description.state)/agent.log" }
  }

  func now() -> [String: UInt64] {
    let sizes = files.map { path in
      (path, (try? FileManager.default.attributesOfItem(atPath: path)[.size] as? UInt64) ?? 0)
    }
    return Dictionary(uniqueKeysWithValues: sizes)
  }

  /// Keeps what was written since.
  func keep(since marks: [String: UInt64], as name: String) {
    let own = "\(lab.folder)/logs/\(name.replacing("/", with: "-").replacing(" ", with: "-"))"
    try? FileManager.default.createDirectory(atPath: own, withIntermediateDirectories: true)
    for path in files {
      guard let handle = FileHandle(forReadingAtPath: path) else { continue }
      defer { try? handle.close() }
      try? handle.seek(toOffset: marks[path] ?? 0)
      let parts = path.split(separator: "/").suffix(2).joined(separator: "-")
      try? (try? handle.readToEnd() ?? Data())?.write(to: URL(fileURLWithPath: "\(own)/\(parts)"))
    }
  }
}
