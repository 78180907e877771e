import Foundation
import Models
import NIOHTTP1
import TestSupport

/// Somebody who does whatever comes to mind with VMs of their own, and notes what was acknowledged.
struct RandomClient: Sendable {
  let number: Int
  let lab: Lab
  let ledger: Ledger
  let gate: Gate

  private static let most = 5
  /// How long an answer is waited for; after that it is taken for lost.
  private static let patience: Duration = .seconds(200)

  func run(_ seed: SplitMix64) async throws {
    var random = seed
    var mine: [VMID] = []
    var images: [ImageID] = []
    while !Task.isCancelled {
      try await gate.enter()
      do { try await act(&random, &mine, &images) } catch {
        await gate.leave()
        throw error
      }
      await gate.leave()
      try await Task.sleep(for: random.milliseconds(20...300))
    }
  }

  private func act(_ random: inout SplitMix64, _ mine: inout [VMID], _ images: inout [ImageID]) async throws {
    await ledger.noteOperation()
    guard let id = random.pick(mine), mine.count >= Self.most || !random.isOne(in: 4) else {
      if random.isOne(in: 4) { return try await useImages(&random, &images) }
      if let made = try await create(&random) { mine.append(made) }
      return
    }
    switch Int.random(in: 0..<20, using: &random) {
    case 0..<4: try await change(id, .power(.start), .running, &random)
    case 4..<8: try await change(id, .power(.stop), .stopped, &random)
    case 8: try await change(id, .power(.reboot), .running, &random)
    case 9: try await change(id, .power(.pause), .paused, &random)
    case 10, 11: try await change(id, .power(.resume), .running, &random)
    case 12: try await change(id, .resize(VMSize(mem: random.pick([16, 24, 32]), vcpus: nil, disk: nil)), nil, &random)
    case 13: try await rename(id, &random)
    case 14, 15:
      if let host = random.pick(lab.machines.compactMap(\.id)) { try await change(id, .move(host), nil, &random) }
    case 16: try await share(id)
    case 17: if let image = try await snapshot(id, &random) { images.append(image) }
    default:
      try await remove(id, &random)
      mine.removeAll { $0 == id }
    }
  }

  // MARK: VMs

  private func create(_ random: inout SplitMix64) async throws -> VMID? {
    let name = "r\(number)-\(random.next() >> 20)"
    let (start, isDoubled) = (random.isOne(in: 2), random.isOne(in: 3))
    let key = UUID().uuidString
    let request = lab.smallVM(name, start: start)
    // The same request by both gateways at once.
    async let twin = isDoubled ? (try? lab.admin.call(.POST, "/iaas/vms", request, key: key, seconds: 15)) : nil
    let answer = try await lab.admin.insist(.POST, "/iaas/vms", request, key: key, within: Self.patience)
    if let double = await twin, double.isSuccess, answer.isSuccess {
      let (first, second) = (try answer.json(VM.self).id, try double.json(VM.self).id)
      try require(first == second, "two VMs of one request: \(first) and \(second)")
    }
    guard answer.isSuccess else {
      await ledger.noteRefusal(answer)
      return nil
    }
    let vm = try answer.json(VM.self)
    await ledger.made(vm, as: nil)
    try await end(of: answer, vm.id, start ? .running : .stopped, &random)
    return vm.id
  }

  /// Waits for the operation, mostly, and notes what the VM must be from then on.
  private func end(
    of answer: Answer, _ id: VMID, _ state: VMState?, _ random: inout SplitMix64
  ) async throws {
    guard let operation = answer.operation else {
      if state != nil { await ledger.expect(id, try answer.json(VM.self).state) }
      return
    }
    if random.isOne(in: 3) { return await ledger.expect(id, nil) }
    let ended = try await lab.admin.end(of: operation, within: Self.patience)
    // What only failed tells nothing of what is; a resize or a move leaves the state as it was.
    if ended.status == .done, state != nil { await ledger.expect(id, state) }
    if ended.status != .done { await ledger.expect(id, nil) }
  }

  private func change(
    _ id: VMID, _ change: VMChange, _ state: VMState?, _ random: inout SplitMix64
  ) async throws {
    // From here on, either is right, until there is an answer.
    let before = await ledger.vms[id]?.state
    if state != nil { await ledger.expect(id, nil) }
    let answer = try await lab.admin.insist(.PUT, "/iaas/vms/\(id)", VMUpdate(change), within: Self.patience)
    if answer.isSuccess { return try await end(of: answer, id, state, &random) }
    await ledger.noteRefusal(answer)
    if answer.status == 409 { await ledger.expect(id, before) }
  }

  private func rename(_ id: VMID, _ random: inout SplitMix64) async throws {
    let name = "n\(number)-\(random.next() >> 20)"
    let answer = try await lab.admin.insist(.PUT, "/iaas/vms/\(id)", VMUpdate(.rename(name)), within: Self.patience)
    if answer.isSuccess { await ledger.expect(id, name: name) } else { await ledger.noteRefusal(answer) }
  }

  private func share(_ id: VMID) async throws {
    let path = "/iaas/vms/\(id)/shares"
    let given = try await lab.admin.insist(.POST, path, ["user": lab.friend.description], within: Self.patience)
    guard given.isSuccess else { return await ledger.noteRefusal(given) }
    let taken = try await lab.admin.insist(.DELETE, "\(path)/\(lab.friend)", within: Self.patience)
    try require(taken.isSuccess || taken.status == 404, "unsharing: \(taken)")
  }

  private func remove(_ id: VMID, _ random: inout SplitMix64) async throws {
    await ledger.removal(of: id, isDone: false)
    let wait = random.isOne(in: 2) ? 10 : 0
    let answer = try await lab.admin.insist(.DELETE, "/iaas/vms/\(id)", wait: wait, within: Self.patience)
    try require(answer.isSuccess || answer.status == 404, "removal: \(answer)")
    guard answer.status == 204 else { return }
    await ledger.removal(of: id, isDone: true)
    let gone = try await lab.admin.insist(.GET, "/iaas/vms/\(id)", within: Self.patience)
    try require(gone.status == 404, "VM \(id) was removed (204) and is there: \(gone)")
  }

  // MARK: Images

  private func snapshot(_ id: VMID, _ random: inout SplitMix64) async throws -> ImageID? {
    let name = "s\(number)-\(random.next() >> 20)"
    let before = await ledger.vms[id]?.state
    await ledger.expect(id, nil)
    let answer = try await lab.admin.insist(
      .POST, "/iaas/vms/\(id)/snapshots", NewSnapshot(name: name, desc: ""), within: Self.patience)
    guard answer.isSuccess else {
      await ledger.noteRefusal(answer)
      await ledger.expect(id, before)
      return nil
    }
    let image = try answer.json(Models.Image.self)
    await ledger.made(image)
    if let operation = answer.operation, !random.isOne(in: 4) {
      let ended = try await lab.admin.end(of: operation, within: Self.patience)
      if ended.status == .done { await ledger.expect(id, before) }
    }
    return image.id
  }

  private func useImages(_ random: inout SplitMix64, _ images: inout [ImageID]) async throws {
    if images.count > 2 || (!images.isEmpty && random.isOne(in: 2)), let id = random.pick(images) {
      let answer = try await lab.admin.insist(.DELETE, "/iaas/images/\(id)", within: Self.patience)
      try require(answer.isSuccess || answer.status == 404, "removal: \(answer)")
      await ledger.removal(of: id)
      images.removeAll { $0 == id }
      return
    }
    let file = random.isOne(in: 2) ? "raw.img" : "disk.qcow2"
    let request = NewImage(url: "\(lab.web)/\(file)", name: "i\(number)-\(random.next() >> 20)", desc: "")
    let answer = try await lab.admin.insist(.POST, "/iaas/images", request, within: Self.patience)
    guard answer.isSuccess else { return await ledger.noteRefusal(answer) }
    let image = try answer.json(Models.Image.self)
    await ledger.made(image)
    images.append(image.id)
  }
}
