import Foundation
import Models
import TestSupport

/// Hosts that packets do not reach, or do not leave; and hosts without power.
enum PartitionCases {
  static let all: [Case] =
    ["cut", "cut-in", "cut-out"].flatMap { cut in
      [Action.start, .stop, .delete, .move].map { action in
        Case(name: "\(cut) during \(action.name)") { try await during(cut, action, $0) }
      }
    }
    + ["agent.put", "agent.started"].map { place in
      Case(name: "the answer after \(place) is lost") { try await lostAnswer($0, at: place) }
    } + [
      Case(name: "doubled creation: one VM", isShort: true, body: doubled),
      Case(name: "doubled start and doubled removal", body: doubledChanges),
      Case(name: "cut off for long: unknown, then as before", body: longCut),
      Case(name: "power loss: what ran runs again", body: powerLoss),
      Case(name: "power loss while it starts", limit: 240, body: powerLossDuringStart),
      Case(name: "given up while cut off: rebuilt elsewhere, old copy put aside", limit: 240, body: givenUp),
      Case(name: "overtaken: a late start after a stop is refused", isShort: true, body: overtaken),
      Case(name: "given up while a start is under way: what comes late is refused", limit: 240, body: lateCommand),
    ]

  private static func during(_ cut: String, _ action: Action, _ lab: Lab) async throws {
    let subject = try await action.prepare(lab)
    let machine = try lab.machine(try subject.known.host)
    try await machine.tell(cut)
    let answer = try await action.ask(lab, subject)
    try require(answer.isSuccess, "\(action.name): \(answer)")
    try await Task.sleep(for: .seconds(5))
    try await machine.tell("mend")
    if let operation = answer.operation {
      let ended = try await lab.admin.end(of: operation, within: .seconds(150))
      try require(ended.status == .done, "\(action.name) ended \(ended.status.rawValue): \(ended.error as Any)")
    }
    try await lab.quiet()
    try await action.verify(lab, subject)
  }

  /// The command arrives, and what the agent says of it does not.
  private static func lostAnswer(_ lab: Lab, at place: String) async throws {
    let vm = try await lab.makeVM()
    let machine = try lab.machine(vm.host)
    try machine.arm(place, .delay)
    let answer = try await lab.change(vm.id, .power(.start))
    try await eventually("the command arrives", within: .seconds(10)) { !machine.isArmed(place) }
    try await machine.tell("cut-out")
    try await Task.sleep(for: .seconds(6))
    try await machine.tell("mend")
    _ = try await lab.settled(answer, as: .running, within: .seconds(150))
    let guests = machine.guests()
    try require(guests.count == 1, "there are \(guests.count) QEMU processes")
  }

  private static func doubled(_ lab: Lab) async throws {
    let key = UUID().uuidString
    let answers = try await withThrowingTaskGroup(of: VM.self) { group in
      for gateway in 0..<lab.gateways.count {
        for _ in 0..<3 {
          group.addTask {
            try await lab.admin.call(
              .POST, "/iaas/vms", lab.smallVM("doubled", start: true), gateway: gateway, wait: 20, key: key,
              seconds: 40
            ).json()
          }
        }
      }
      return try await group.reduce(into: []) { $0.append($1) }
    }
    try require(Set(answers.map(\.id)).count == 1, "different VMs: \(answers.map(\.id))")
    let vms = try await lab.admin.get("/iaas/vms", [VM].self)
    try require(vms.count == 1, "there are \(vms.count) VMs")
    try await lab.await(vms[0].id, .running)
  }

  private static func doubledChanges(_ lab: Lab) async throws {
    let vm = try await lab.makeVM()
    func both(_ body: @escaping @Sendable (Int) async throws -> Answer) async throws {
      try await withThrowingTaskGroup(of: Answer.self) { group in
        for gateway in 0..<2 { group.addTask { try await body(gateway) } }
        for try await answer in group {
          try require(answer.isSuccess || answer.status == 404 || answer.status == 409, "\(answer)")
        }
      }
    }
    try await both { gateway in
      try await lab.admin.call(
        .PUT, "/iaas/vms/\(vm.id)", VMUpdate(.power(.start)), gateway: gateway, wait: 30, seconds: 40)
    }
    try await lab.await(vm.id, .running)
    try await both { gateway in
      try await lab.admin.call(.DELETE, "/iaas/vms/\(vm.id)", gateway: gateway, wait: 30, seconds: 40)
    }
    let gone = try await lab.admin.insist(.GET, "/iaas/vms/\(vm.id)")
    try require(gone.status == 404, "the removed VM: \(gone)")
  }

  private static func longCut(_ lab: Lab) async throws {
    let (running, stopped) = (try await lab.makeVM(start: true), try await lab.makeVM())
    let machines = try [lab.machine(running.host), lab.machine(stopped.host)]
    let before = machines.map { $0.guests() }
    for machine in machines { try await machine.tell("cut") }
    for vm in [running, stopped] { try await lab.await(vm.id, .unknown) }
    let refused = try await lab.change(running.id, .power(.stop))
    try require(refused.status == 409 || refused.isSuccess, "\(refused)")
    for machine in machines { try await machine.tell("mend") }
    try await lab.await(stopped.id, .stopped)
    try await lab.await(running.id, refused.isSuccess ? .stopped : .running)
    if !refused.isSuccess { try require(machines.map { $0.guests() } == before, "other QEMU processes than before") }
  }

  private static func powerLoss(_ lab: Lab) async throws {
    let running = try await lab.makeVM(start: true)
    let machine = try lab.machine(running.host)
    let stopped = try await lab.makeVM()
    let others = Set(machine.guests().values)
    try await machine.tell("power-off")
    try await machine.tell("power-on")
    try await eventually("what ran runs again", within: .seconds(60)) {
      let pid = machine.guests()[running.id.description]
      return pid.map { !others.contains($0) } ?? false
    }
    try await lab.await(running.id, .running)
    try await lab.expect(stopped.id, .stopped)
  }

  private static func powerLossDuringStart(_ lab: Lab) async throws {
    let vm = try await lab.makeVM()
    let machine = try lab.machine(vm.host)
    try machine.arm("agent.started", .delay)
    let answer = try await lab.change(vm.id, .power(.start))
    try await eventually("the command arrives", within: .seconds(10)) { !machine.isArmed("agent.started") }
    try await machine.tell("power-off")
    try await machine.tell("power-on")
    if let operation = answer.operation { _ = try await lab.admin.end(of: operation, within: .seconds(180)) }
    try await lab.await(vm.id, .running)
    try require(machine.guests().count == 1, "there are \(machine.guests().count) QEMU processes")
  }

  /// Seconds after which no second copy may run any more.
  private static let longestDouble: Duration = .seconds(30)

  private static func givenUp(_ lab: Lab) async throws {
    let vm = try await lab.makeVM(start: true)
    let machine = try lab.machine(vm.host)
    try await machine.tell("cut")
    try await lab.await(vm.id, .unknown)
    try await setState(.dead, of: machine, lab)
    try await lab.await(vm.id, .error)
    _ = try await lab.settled(try await lab.change(vm.id, .rebuild(lab.image)), as: .stopped)
    let rebuilt = try await lab.settled(try await lab.change(vm.id, .power(.start)), as: .running)
    try require(rebuilt.host != vm.host, "it was rebuilt on the host that was given up")
    try await machine.tell("mend")
    try await eventually("the old copy is stopped", within: longestDouble) { machine.guests().isEmpty }
    try await eventually("the old copy is put aside", within: longestDouble) {
      let host = try await lab.admin.get("/iaas/hosts/\(machine.id?.description ?? "")", Models.Host.self)
      return host.quarantined?.contains { $0.id == vm.id } ?? false
    }
    try await lab.expect(vm.id, .running)
    let running = lab.machines.filter { $0.guests()[vm.id.description] != nil }.count
    try require(running == 1, "it runs on \(running) hosts")
    let broken = try await lab.fsck()
    try await setState(.up, of: machine, lab)
    try await machine.forget(vm.id)
    try require(broken.isEmpty, broken.joined(separator: "\n      "))
  }

  /// The inventory halts before it tells the host to start the VM, and goes on when another has started it, and it was
  /// stopped again.
  private static func overtaken(_ lab: Lab) async throws {
    let vm = try await lab.makeVM()
    let machine = try lab.machine(vm.host)
    // The answer may come only when the halted goes on.
    async let asked = lab.change(vm.id, .power(.start))
    let halted = try await halt(lab, at: "inventory.vm_start.before")
    try await lab.await(vm.id, .running)
    _ = try await lab.settled(try await lab.change(vm.id, .power(.stop)), as: .stopped)
    halted.send(SIGCONT)
    _ = try? await asked
    try await expectNoGuest(on: machine)
    try await lab.expect(vm.id, .stopped)
  }

  /// Has whoever comes to the place halt there.
  private static func halt(_ lab: Lab, at place: String) async throws -> any Victim {
    for inventory in lab.inventories { try inventory.arm(place, .stop) }
    let halted = try await PlaceCases.firstStruck(of: lab.inventories, at: place)
    for inventory in lab.inventories { inventory.disarm(place) }
    return halted
  }

  /// Long enough for a command that was held back to arrive.
  private static func expectNoGuest(on machine: Machine) async throws {
    let end = ContinuousClock.now + .seconds(5)
    while ContinuousClock.now < end {
      try require(machine.guests().isEmpty, "a late command started the VM")
      try await Task.sleep(for: .milliseconds(20))
    }
  }

  /// The inventory halts before it tells the host to start the VM, and goes on when the VM is another host's.
  private static func lateCommand(_ lab: Lab) async throws {
    let vm = try await lab.makeVM()
    let machine = try lab.machine(vm.host)
    // The answer may come only when the halted goes on.
    async let asked = lab.change(vm.id, .power(.start))
    let halted = try await halt(lab, at: "inventory.vm_start.before")
    try await machine.tell("cut")
    try await eventually("the host is unreachable", within: .seconds(60)) {
      let host = try await lab.admin.get("/iaas/hosts/\(machine.id?.description ?? "")", Models.Host.self)
      return host.state == .unreachable
    }
    try await setState(.dead, of: machine, lab)
    try await lab.await(vm.id, .error)
    _ = try await lab.settled(try await lab.change(vm.id, .rebuild(lab.image)), as: .stopped)
    _ = try await lab.settled(try await lab.change(vm.id, .power(.start)), as: .running)
    try await machine.tell("mend")
    try await eventually("the old copy is put aside", within: longestDouble) {
      let host = try await lab.admin.get("/iaas/hosts/\(machine.id?.description ?? "")", Models.Host.self)
      return host.quarantined?.contains { $0.id == vm.id } ?? false
    }
    halted.send(SIGCONT)
    _ = try? await asked
    try await expectNoGuest(on: machine)
    try await lab.expect(vm.id, .running)
    let broken = try await lab.fsck()
    try await setState(.up, of: machine, lab)
    try await machine.forget(vm.id)
    try require(broken.isEmpty, broken.joined(separator: "\n      "))
  }

  private static func setState(_ state: HostState, of machine: Machine, _ lab: Lab) async throws {
    guard let id = machine.id else { return }
    let answer = try await lab.admin.insist(.PUT, "/iaas/hosts/\(id)", HostUpdate(state: state, overcommit: nil))
    try require(answer.isSuccess, "\(answer)")
  }
}

extension Machine {
  /// Removes what was put aside, as an administrator does by hand.
  func forget(_ id: VMID) async throws {
    try await virsh("undefine", id.description)
    try? FileManager.default.removeItem(atPath: "\(description.state)/agent/vms/\(id)")
  }
}
