import Foundation
import Models
import ServiceKit
import TestSupport

/// Processes that end at any moment, not at a place.
enum StrikeCases {
  static let all: [Case] = [
    Case(name: "Postgres killed under operations", isShort: true, body: postgres),
    Case(name: "libvirtd killed: guests run on", body: libvirtd),
    Case(name: "agent killed: guests run on", body: agent),
    Case(name: "auth-service killed: nobody who may is refused for long", body: auth),
    Case(name: "one gateway and one inventory killed: the others do the work", body: half),
    Case(name: "both inventories killed under operations", body: inventories),
  ]

  /// A few operations of every kind at once, with a strike in their midst; all that was acknowledged is done.
  private static func under(_ lab: Lab, _ strike: @escaping @Sendable () async throws -> Void) async throws {
    let (starting, removed) = (try await lab.makeVM(), try await lab.makeVM(start: true))
    try await withThrowingTaskGroup(of: Void.self) { group in
      group.addTask { try await strike() }
      for number in 0..<3 {
        group.addTask {
          try await Task.sleep(for: .milliseconds(100 * number))
          let answer = try await lab.admin.insist(.POST, "/iaas/vms", lab.smallVM(start: number == 0))
          _ = try await lab.settled(answer, as: number == 0 ? .running : .stopped)
        }
      }
      group.addTask { _ = try await lab.settled(try await lab.change(starting.id, .power(.start)), as: .running) }
      group.addTask {
        let answer = try await lab.admin.insist(.DELETE, "/iaas/vms/\(removed.id)")
        if let operation = answer.operation { _ = try await lab.admin.end(of: operation) }
        let gone = try await lab.admin.insist(.GET, "/iaas/vms/\(removed.id)")
        try require(gone.status == 404, "the removed VM: \(gone)")
      }
      try await group.waitForAll()
    }
    let count = try await lab.admin.get("/iaas/vms", [VM].self).count
    try require(count == 4, "there are \(count) VMs instead of 4")
  }

  private static func postgres(_ lab: Lab) async throws {
    try await under(lab) {
      try await Task.sleep(for: .milliseconds(150))
      try await lab.postgres.strike()
      try await Task.sleep(for: .seconds(1))
      try await lab.postgres.bringBack()
    }
  }

  private static func inventories(_ lab: Lab) async throws {
    try await under(lab) {
      try await Task.sleep(for: .milliseconds(200))
      for inventory in lab.inventories { try await inventory.strike() }
      for inventory in lab.inventories { try await inventory.bringBack() }
    }
  }

  private static func half(_ lab: Lab) async throws {
    try await under(lab) {
      try await Task.sleep(for: .milliseconds(200))
      try await lab.gateways[0].strike()
      try await lab.inventories[0].strike()
    }
  }

  private static func auth(_ lab: Lab) async throws {
    try await under(lab) {
      try await Task.sleep(for: .milliseconds(100))
      try await lab.auth.strike()
      try await Task.sleep(for: .milliseconds(500))
      try await lab.auth.bringBack()
    }
  }

  /// What runs on each machine, by VM.
  private static func guests(_ lab: Lab) -> [String: pid_t] {
    lab.machines.reduce(into: [:]) { all, machine in all.merge(machine.guests()) { _, new in new } }
  }

  private static func keepsGuests(_ lab: Lab, _ strike: (Machine) async throws -> Void) async throws {
    var vms: [VM] = []
    for _ in 0..<2 { vms.append(try await lab.makeVM(start: true)) }
    let before = guests(lab)
    try require(before.count == 2, "there are \(before.count) QEMU processes instead of 2")
    for machine in lab.machines { try await strike(machine) }
    try require(guests(lab) == before, "other QEMU processes than before: \(guests(lab)) and \(before)")
    for vm in vms { _ = try await lab.settled(try await lab.change(vm.id, .power(.stop)), as: .stopped) }
    try require(guests(lab).isEmpty, "QEMU processes of stopped VMs: \(guests(lab))")
  }

  private static func libvirtd(_ lab: Lab) async throws {
    try await keepsGuests(lab) { machine in
      try await machine.tell("libvirtd-kill")
      try await Task.sleep(for: .seconds(1))
      try await machine.tell("libvirtd-start")
    }
  }

  private static func agent(_ lab: Lab) async throws {
    try await keepsGuests(lab) { machine in
      try await machine.strike()
      try await machine.bringBack()
    }
  }
}
