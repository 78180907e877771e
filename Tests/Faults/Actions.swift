import Foundation
import Models
import TestSupport

/// Something that is asked for, what it needs before, and what must have come of it.
struct Action: Sendable {
  /// What it is done to.
  struct Subject: Sendable {
    var vm: VM?
    var image: ImageID?
    /// Another host than the VM's.
    var target: HostID?
  }

  let name: String
  /// Whether nothing is left that a second request could find.
  var removes = false
  var prepare: @Sendable (Lab) async throws -> Subject = { _ in Subject() }
  let ask: @Sendable (Lab, Subject) async throws -> Answer
  let verify: @Sendable (Lab, Subject) async throws -> Void
}

extension Lab {
  /// What all VMs of the cases are: as small as QEMU takes them.
  func smallVM(_ name: String = "small", start: Bool = false) -> NewVM {
    NewVM(image: image, mem: 16, vcpus: 1, disk: 1, name: name, sshKeys: [], start: start)
  }

  /// A VM that was made without any fault.
  func makeVM(start: Bool = false) async throws -> VM {
    let answer = try await admin.insist(.POST, "/iaas/vms", smallVM(start: start))
    return try await settled(answer, as: start ? .running : .stopped)
  }

  /// The VM of an answer, when what is done to it has ended well.
  func settled(_ answer: Answer, as state: VMState, within time: Duration = .seconds(90)) async throws -> VM {
    let vm = try answer.json(VM.self)
    if let operation = answer.operation {
      let ended = try await admin.end(of: operation, within: time)
      try require(ended.status == .done, "\(ended.kind.rawValue) ended \(ended.status): \(ended.error as Any)")
    }
    return try await expect(vm.id, state)
  }

  func vm(_ id: VMID) async throws -> VM { try await admin.get("/iaas/vms/\(id)") }

  @discardableResult
  func expect(_ id: VMID, _ state: VMState) async throws -> VM {
    let vm = try await vm(id)
    try require(vm.state == state, "VM \(id) is \(vm.state) instead of \(state) (\(vm.reason ?? "no reason"))")
    return vm
  }

  /// Waits until the VM is seen so.
  func await(_ id: VMID, _ state: VMState, within time: Duration = .seconds(60)) async throws {
    let end = ContinuousClock.now + time
    while true {
      let vm = try await vm(id)
      if vm.state == state { return }
      guard ContinuousClock.now < end else {
        throw Unexpected("VM \(id) stays \(vm.state) instead of \(state) (\(vm.reason ?? "no reason"))")
      }
      try await Task.sleep(for: .milliseconds(150))
    }
  }

  /// Asks for a change; where the answer was lost and the change is being made already, the answer says so too.
  func change(_ id: VMID, _ change: VMChange, wait: Int = 0) async throws -> Answer {
    let answer = try await admin.insist(.PUT, "/iaas/vms/\(id)", VMUpdate(change), wait: wait)
    guard answer.isRepeated, answer.status == 409 else { return answer }
    var taken = try await admin.insist(.GET, "/iaas/vms/\(id)")
    let query = "/iaas/operations?sort=-createdAt&limit=1&query=resource='\(id)'"
    taken.operation = try await admin.get(query, [Models.Operation].self).first?.id
    return taken
  }
}

extension Action {
  static let create = Action(
    name: "vm_create", ask: { lab, _ in try await lab.admin.insist(.POST, "/iaas/vms", lab.smallVM()) },
    verify: { lab, subject in try await lab.expect(try subject.known.id, .stopped) })

  static let start = power("vm_start", .start, from: .stopped, to: .running)
  static let stop = power("vm_stop", .stop, from: .running, to: .stopped)
  static let reboot = power("vm_reboot", .reboot, from: .running, to: .running)

  private static func power(_ name: String, _ request: PowerRequest, from: VMState, to state: VMState) -> Action {
    Action(
      name: name, prepare: { Subject(vm: try await $0.makeVM(start: from == .running)) },
      ask: { lab, subject in try await lab.change(try subject.known.id, .power(request)) },
      verify: { lab, subject in try await lab.expect(try subject.known.id, state) })
  }

  static let delete = Action(
    name: "vm_delete", removes: true, prepare: { Subject(vm: try await $0.makeVM(start: true)) },
    ask: { lab, subject in try await lab.admin.insist(.DELETE, "/iaas/vms/\(try subject.known.id)") },
    verify: { lab, subject in
      let answer = try await lab.admin.insist(.GET, "/iaas/vms/\(try subject.known.id)")
      try require(answer.status == 404, "the removed VM: \(answer)")
      try await lab.expectTraces(of: try subject.known.id, on: nil)
    })

  static let move = Action(
    name: "vm_move",
    prepare: { lab in
      let vm = try await lab.makeVM()
      return Subject(vm: vm, target: lab.machines.compactMap(\.id).first { $0 != vm.host })
    },
    ask: { lab, subject in
      guard let target = subject.target else { throw Unexpected("there is no other host") }
      return try await lab.change(try subject.known.id, .move(target))
    },
    verify: { lab, subject in
      let vm = try await lab.expect(try subject.known.id, .stopped)
      try require(vm.host == subject.target, "the VM did not move")
      try await lab.expectTraces(of: vm.id, on: vm.host)
      _ = try await lab.settled(try await lab.change(vm.id, .power(.start)), as: .running)
    })

  static let snapshot = snapshot("image_snapshot", running: false)
  static let snapshotOfRunning = snapshot("image_snapshot of a running VM", running: true)

  private static func snapshot(_ name: String, running: Bool) -> Action {
    Action(
      name: name, prepare: { Subject(vm: try await $0.makeVM(start: running)) },
      ask: { lab, subject in
        let request = NewSnapshot(name: "saved", desc: "")
        return try await lab.admin.insist(.POST, "/iaas/vms/\(try subject.known.id)/snapshots", request)
      },
      verify: { lab, subject in
        try await lab.expectAvailable(subject)
        try await lab.expect(try subject.known.id, running ? .running : .stopped)
      })
  }

  static let importing = Action(
    name: "image_import",
    ask: { lab, _ in
      let request = NewImage(url: "\(lab.web)/raw.img", name: "raw", desc: "")
      return try await lab.admin.insist(.POST, "/iaas/images", request)
    }, verify: { lab, subject in try await lab.expectAvailable(subject) })
}

extension Action.Subject {
  var known: VM {
    get throws {
      guard let vm else { throw Unexpected("no VM was made") }
      return vm
    }
  }

  /// With what the answer says was made.
  func with(_ answer: Answer, of action: Action) throws -> Action.Subject {
    var subject = self
    if vm == nil, let made = try? answer.json(VM.self) { subject.vm = made }
    if action.name.hasPrefix("image") { subject.image = try answer.json(Models.Image.self).id }
    return subject
  }
}

extension Lab {
  /// Waits until nothing of the VM lies on any other host.
  func expectTraces(of id: VMID, on host: HostID?) async throws {
    try await eventually("nothing of \(id) lies on other hosts", within: .seconds(30)) {
      machines.allSatisfy { $0.id == host || !$0.hasFolder(of: id) }
    }
  }

  func expectAvailable(_ subject: Action.Subject) async throws {
    guard let id = subject.image else { throw Unexpected("no image was made") }
    let image = try await admin.get("/iaas/images/\(id)", Models.Image.self)
    try require(image.state == .available, "the image is \(image.state): \(image.error as Any)")
  }
}
