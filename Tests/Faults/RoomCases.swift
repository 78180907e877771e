import Foundation
import Models
import ServiceKit
import TestSupport

/// Disks that are full, and clocks that are wrong.
enum RoomCases {
  static let all: [Case] = [
    Case(name: "a host's disk is full", body: hostIsFull),
    Case(name: "the image store is full", body: storeIsFull),
    Case(name: "one inventory's clock is an hour ahead") { try await wrongClock($0, "+1h") },
    Case(name: "one inventory's clock is an hour behind") { try await wrongClock($0, "-1h") },
  ]

  /// Takes the room of a file system while the body runs.
  /// - Parameter rest: Bytes that are left.
  private static func filling(
    _ folder: String, but rest: Int64 = 0, _ body: () async throws -> Void
  ) async throws {
    let filler = "\(folder)/.filler"
    let room = try await Shell.run("stat", "-f", "-c", "%a %S", folder).split(whereSeparator: \.isWhitespace)
    let numbers = room.compactMap { Int64($0) }
    try require(numbers.count == 2, "stat says \(room)")
    let bytes = numbers[0] * numbers[1] - rest
    // A file system that keeps room for its own tables does not give it all at once.
    for left in [0, 16, 64, 256].map({ Int64($0) << 20 }) where left < bytes {
      if try await Tool.run("fallocate", ["-l", "\(bytes - left)", filler]).succeeded { break }
    }
    if rest == 0 { _ = try await Tool.run("dd", ["if=/dev/zero", "of=\(filler)-rest", "bs=64k", "status=none"]) }
    let result: Result<Void, any Error>
    do { result = .success(try await body()) } catch { result = .failure(error) }
    for path in [filler, "\(filler)-rest"] { unlink(path) }
    try result.get()
  }

  private static func hostIsFull(_ lab: Lab) async throws {
    let small = lab.machines[2]
    for machine in lab.machines.dropLast() { try await setState(.maintenance, of: machine, lab) }
    let result: Result<Void, any Error>
    do { result = .success(try await whileOnlyOne(small, lab)) } catch { result = .failure(error) }
    for machine in lab.machines { try await setState(.up, of: machine, lab) }
    try result.get()
  }

  private static func whileOnlyOne(_ small: Machine, _ lab: Lab) async throws {
    try await filling("\(lab.folder)/small") {
      let answer = try await lab.admin.insist(.POST, "/iaas/vms", lab.smallVM(start: true))
      let vm = try answer.json(VM.self)
      if let operation = answer.operation {
        let ended = try await lab.admin.end(of: operation)
        try require(ended.error?.code == "no_space", "it ended \(ended.status.rawValue): \(ended.error as Any)")
      }
      try await lab.expect(vm.id, .error)
      // Its disk may just have had room; nothing is left half written, and nothing at all of what is removed.
      try require(!files(of: vm.id, in: lab).contains { $0.hasSuffix(".part") }, "\(files(of: vm.id, in: lab))")
      let removed = try await lab.admin.insist(.DELETE, "/iaas/vms/\(vm.id)", wait: 20)
      try require(removed.status == 204, "removal: \(removed)")
      try require(files(of: vm.id, in: lab).isEmpty, "\(files(of: vm.id, in: lab))")
    }
    _ = try await lab.makeVM(start: true)
  }

  private static func files(of vm: VMID, in lab: Lab) -> [String] {
    let files = (try? FileManager.default.subpathsOfDirectory(atPath: "\(lab.folder)/small/vms")) ?? []
    return files.filter { $0.contains(vm.description) }
  }

  private static func setState(_ state: HostState, of machine: Machine, _ lab: Lab) async throws {
    guard let id = machine.id else { return }
    let answer = try await lab.admin.insist(.PUT, "/iaas/hosts/\(id)", HostUpdate(state: state, overcommit: nil))
    try require(answer.isSuccess, "\(answer)")
  }

  private static func storeIsFull(_ lab: Lab) async throws {
    let request = NewImage(url: "\(lab.web)/raw.img", name: "raw", desc: "")
    try await filling("\(lab.folder)/images") {
      let refused = try await lab.admin.insist(.POST, "/iaas/images", request)
      try require(refused.problem == "no_space", "\(refused)")
    }
    // Of 12 MiB the service keeps 8 free, and the image has 8.
    try await filling("\(lab.folder)/images", but: 12 << 20) {
      let image = try await lab.admin.insist(.POST, "/iaas/images", request, wait: 30).json(Models.Image.self)
      try require(image.state == .error && image.error?.code == "no_space", "the image: \(image)")
      let staged = (try? FileManager.default.contentsOfDirectory(atPath: "\(lab.folder)/images/staging")) ?? []
      try require(staged.isEmpty, "it left \(staged)")
    }
    let image = try await lab.admin.insist(.POST, "/iaas/images", request, wait: 30).json(Models.Image.self)
    try require(image.state == .available, "the image: \(image)")
  }

  private static func wrongClock(_ lab: Lab, _ offset: String) async throws {
    let folders = ["x86_64-linux-gnu", "aarch64-linux-gnu"]
    let libraries: [String] = folders.map { "/usr/lib/\($0)/faketime/libfaketimeMT.so.1" }
    let library = libraries.first { FileManager.default.fileExists(atPath: $0) }
    guard let library else { throw Skipped(reason: "the package libfaketime is not installed") }
    let wrong = lab.inventories[0]
    try await wrong.restart(with: [
      "LD_PRELOAD": library, "FAKETIME": offset, "FAKETIME_DONT_FAKE_MONOTONIC": "1", "FAKETIME_NO_CACHE": "1",
    ])
    let result: Result<Void, any Error>
    do { result = .success(try await work(lab, isKilling: wrong)) } catch { result = .failure(error) }
    try await wrong.restart()
    try result.get()
  }

  /// Everything a clock matters for: leases, signed addresses, moves, reports; and a lease that is taken over.
  private static func work(_ lab: Lab, isKilling wrong: Replica) async throws {
    for action in [Action.create, .start, .stop, .snapshot, .move, .importing, .delete] {
      var subject = try await action.prepare(lab)
      let answer = try await action.ask(lab, subject)
      subject = try subject.with(answer, of: action)
      if let operation = answer.operation {
        let ended = try await lab.admin.end(of: operation)
        try require(ended.status == .done, "\(action.name) ended \(ended.status.rawValue): \(ended.error as Any)")
        let age = abs(ended.createdAt.timeIntervalSinceNow)
        try require(age < 300, "\(action.name) was asked for \(age) s from now")
      }
      try await action.verify(lab, subject)
    }
    let vm = try await lab.makeVM()
    for inventory in lab.inventories { try inventory.arm("inventory.vm_start.before", .stop) }
    // Whoever is asked may halt before it has answered.
    async let asked = lab.change(vm.id, .power(.start))
    try await Task.sleep(for: .seconds(1))
    for inventory in lab.inventories { inventory.disarm("inventory.vm_start.before") }
    try await Task.sleep(for: .seconds(4))
    for inventory in lab.inventories { inventory.send(SIGCONT) }
    _ = try await lab.settled(try await asked, as: .running)
  }
}
