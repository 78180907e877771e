import Foundation
import Models
import Synchronization
import TestSupport

/// One of the faults that strike at random.
enum Fault: Sendable, CustomStringConvertible {
  case kill(String)
  case halt(String)
  case arm(String, place: String, Blow)
  case cut(String, verb: String, milliseconds: Int)
  case killLibvirtd(String)
  case killPostgres

  var description: String {
    switch self {
    case .kill(let name): "kill \(name)"
    case .halt(let name): "halt \(name)"
    case .arm(let name, let place, let blow): "\(blow) \(name) at \(place)"
    case .cut(let name, let verb, let milliseconds): "\(verb) \(name) for \(milliseconds) ms"
    case .killLibvirtd(let name): "kill libvirtd of \(name)"
    case .killPostgres: "kill Postgres"
    }
  }
}

extension SplitMix64 {
  private static let inventoryPlaces =
    ["vm_create", "vm_start", "vm_stop", "vm_reboot", "vm_delete"].flatMap {
      ["inventory.\($0).before", "inventory.\($0).after"]
    } + ["before", "copied"].map { "inventory.vm_capture.\($0)" }
    + ["before", "offered", "received", "after"].map { "inventory.vm_move.\($0)" }
    + ["converted", "published"].flatMap { ["inventory.image_import.\($0)", "inventory.image_snapshot.\($0)"] }
  private static let agentPlaces = [
    "agent.put", "agent.disk.made", "agent.defined", "agent.undefined", "agent.boot.noted", "agent.started",
    "agent.capture.copied", "agent.arrival.fetched",
  ]

  /// The next fault; the same for the same seed.
  mutating func fault(in lab: Lab) -> Fault {
    let machine = pick(lab.machines)?.name ?? ""
    switch Int.random(in: 0..<20, using: &self) {
    case 0..<5: return .kill(pick(lab.victims.map(\.name)) ?? "")
    case 5..<8: return .halt(pick(lab.victims.map(\.name)) ?? "")
    case 8..<12:
      return .arm(
        pick(lab.inventories)?.name ?? "", place: pick(Self.inventoryPlaces) ?? "", pick(Blow.allCases) ?? .kill)
    case 12..<15: return .arm(machine, place: pick(Self.agentPlaces) ?? "", pick(Blow.allCases) ?? .kill)
    case 15..<18:
      let verb = pick(["cut", "cut-in", "cut-out"]) ?? "cut"
      return .cut(machine, verb: verb, milliseconds: Int.random(in: 500...5000, using: &self))
    case 18: return .killLibvirtd(machine)
    default: return .killPostgres
    }
  }
}

/// Carries faults out, and brings back what they struck after a while.
final class Striker: Sendable {
  private let lab: Lab
  private let random: Mutex<SplitMix64>

  init(_ lab: Lab, _ random: SplitMix64) {
    self.lab = lab
    self.random = Mutex(random)
  }

  func strike(_ fault: Fault) async throws {
    func victim(_ name: String) -> (any Victim)? { lab.victims.first { $0.name == name } }
    func machine(_ name: String) -> Machine? { lab.machines.first { $0.name == name } }
    switch fault {
    case .kill(let name): victim(name)?.send(SIGKILL)
    case .halt(let name): victim(name)?.send(SIGSTOP)
    case .arm(let name, let place, let blow): try victim(name)?.arm(place, blow)
    case .cut(let name, let verb, let milliseconds):
      try await machine(name)?.tell(verb)
      Task {
        try await Task.sleep(for: .milliseconds(milliseconds))
        try await machine(name)?.tell("mend")
      }
    case .killLibvirtd(let name): if let pid = machine(name)?.libvirtd { kill(pid, SIGKILL) }
    case .killPostgres: if let pid = lab.postgres.pid { kill(pid, SIGKILL) }
    }
  }

  /// As systemd would: whatever is dead is started again, and whatever is halted goes on, each after a while.
  func supervise() async throws {
    try await withThrowingTaskGroup(of: Void.self) { group in
      for victim in lab.victims {
        group.addTask { [self] in
          try await watch {
            guard !victim.isRunning else { return }
            try await pause(100...1500)
            try? await victim.bringBack()
          }
        }
        // Apart from that, because it may be halted before it has come back.
        group.addTask { [self] in
          try await watch {
            guard let pid = victim.pid, ProcessTable.isHalted(pid) else { return }
            try await pause(500...5000)
            victim.send(SIGCONT)
          }
        }
      }
      for machine in lab.machines {
        group.addTask { [self] in
          try await watch {
            guard machine.libvirtd == nil else { return }
            try await pause(100...1500)
            try? await machine.tell("libvirtd-start")
          }
        }
      }
      group.addTask { [self] in
        try await watch {
          guard lab.postgres.pid == nil else { return }
          try await pause(100...1500)
          try? await lab.postgres.bringBack()
        }
      }
      try await group.waitForAll()
    }
  }

  private func pause(_ range: ClosedRange<Int>) async throws {
    try await Task.sleep(for: random.withLock { $0.milliseconds(range) })
  }

  private func watch(_ look: @Sendable () async throws -> Void) async throws {
    while !Task.isCancelled {
      try await look()
      try await Task.sleep(for: .milliseconds(100))
    }
  }
}
