import Foundation
import Models
import TestSupport

/// Each place at which a process can be struck, by each blow.
enum PlaceCases {
  private struct Place: Sendable {
    let name: String
    let action: Action
    /// Whether agents come there, and not the inventory.
    var isAgents: Bool { name.hasPrefix("agent.") }
  }

  private static let power: [Action] = [.create, .start, .stop, .reboot, .delete]

  private static let places: [Place] =
    power.flatMap { action in
      ["before", "after"].map { Place(name: "inventory.\(action.name).\($0)", action: action) }
    } + ["before", "copied"].map { Place(name: "inventory.vm_capture.\($0)", action: .snapshot) }
    + ["before", "copied"].map { Place(name: "inventory.vm_capture.\($0)", action: .snapshotOfRunning) }
    + ["before", "offered", "received", "after"].map { Place(name: "inventory.vm_move.\($0)", action: .move) }
    + ["converted", "published"].map { Place(name: "inventory.image_import.\($0)", action: .importing) }
    + ["converted", "published"].map { Place(name: "inventory.image_snapshot.\($0)", action: .snapshot) }
    + power.dropLast().map { Place(name: "agent.put", action: $0) }
    + ["agent.disk.made", "agent.defined"].map { Place(name: $0, action: .create) }
    + ["agent.boot.noted", "agent.started"].map { Place(name: $0, action: .start) }
    + ["agent.boot.noted", "agent.started"].map { Place(name: $0, action: .reboot) }
    + [
      Place(name: "agent.undefined", action: .delete), Place(name: "agent.capture.copied", action: .snapshot),
      Place(name: "agent.arrival.fetched", action: .move),
    ]

  private static let short: Set<String> = [
    "inventory.vm_create.after: vm_create, kill", "inventory.vm_start.before: vm_start, stop",
    "agent.defined: vm_create, kill",
  ]

  static let all: [Case] = places.flatMap { place in
    Blow.allCases.map { blow in
      let name = "\(place.name): \(place.action.name), \(blow)"
      return Case(name: name, isShort: short.contains(name)) { try await strike($0, at: place, blow) }
    }
  }

  private static func strike(_ lab: Lab, at place: Place, _ blow: Blow) async throws {
    let action = place.action
    var subject = try await action.prepare(lab)
    let victims: [any Victim] = place.isAgents ? lab.machines : lab.inventories
    for victim in victims { try victim.arm(place.name, blow) }
    // The answer may come only when the struck has recovered.
    let before = subject
    async let asked = action.ask(lab, before)
    let struck = try await firstStruck(of: victims, at: place.name)
    for victim in victims { victim.disarm(place.name) }
    try await recover(struck, lab, blow)
    let answer = try await asked
    // What was taken by the first of two requests is gone for the second.
    let isGone = answer.isRepeated && answer.status == 404 && action.removes
    try require(answer.isSuccess || isGone, "\(action.name): \(answer)")
    if !isGone { subject = try subject.with(answer, of: action) }
    if let operation = answer.operation {
      let ended = try await lab.admin.end(of: operation)
      try require(ended.status == .done, "\(action.name) ended \(ended.status.rawValue): \(ended.error as Any)")
    }
    try await lab.quiet()
    try await action.verify(lab, subject)
  }

  static func firstStruck(of victims: [any Victim], at place: String) async throws -> any Victim {
    let end = ContinuousClock.now + .seconds(20)
    while ContinuousClock.now < end {
      if let victim = victims.first(where: { !$0.isArmed(place) }) { return victim }
      try await Task.sleep(for: .milliseconds(10))
    }
    throw Unexpected("nobody came to \(place)")
  }

  /// Brings back who was killed; lets who was halted go on when another has done the work, or the lease is long over.
  private static func recover(_ victim: any Victim, _ lab: Lab, _ blow: Blow) async throws {
    switch blow {
    case .kill:
      try await eventually("\(victim.name) was killed", within: .seconds(10)) { !victim.isRunning }
      try await victim.bringBack()
    case .stop:
      // In any case longer than a lease.
      try await Task.sleep(for: .milliseconds(3500))
      let end = ContinuousClock.now + .seconds(3)
      while ContinuousClock.now < end, try await !lab.isIdle() { try await Task.sleep(for: .milliseconds(100)) }
      victim.send(SIGCONT)
    case .error, .delay: break
    }
  }
}
