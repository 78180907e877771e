import Foundation
import Models

/// What was acknowledged, to be compared with what there is.
actor Ledger {
  /// What is known of a VM or an image.
  struct Entry: Sendable {
    var name: String
    /// Nil where more than one answer is right.
    var state: VMState?
    var isRemovalAsked = false
    var isGone = false
  }

  private(set) var vms: [VMID: Entry] = [:]
  private(set) var images: [ImageID: Entry] = [:]
  private(set) var operations = 0
  private var told: Set<OperationID> = []
  private(set) var refusals: [String: Int] = [:]

  func noteOperation() { operations += 1 }
  func noteRefusal(_ answer: Answer) { refusals["\(answer.status) \(answer.problem ?? "")", default: 0] += 1 }

  func made(_ vm: VM, as state: VMState?) { vms[vm.id] = Entry(name: vm.name, state: state) }
  func made(_ image: Models.Image) { images[image.id] = Entry(name: image.name, state: nil) }
  func expect(_ id: VMID, _ state: VMState?) { vms[id]?.state = state }
  func expect(_ id: VMID, name: String) { vms[id]?.name = name }

  func removal(of id: VMID, isDone: Bool) {
    vms[id]?.isRemovalAsked = true
    if isDone { vms[id]?.isGone = true }
  }

  func removal(of id: ImageID) { images[id]?.isGone = true }

  /// The operations that took remarkably long, each once.
  func slow(_ operations: [Models.Operation]) -> [String] {
    operations.compactMap { operation in
      guard let end = operation.endedAt, told.insert(operation.id).inserted else { return nil }
      let seconds = end.timeIntervalSince(operation.createdAt)
      guard seconds > 40 else { return nil }
      return "\(operation.kind.rawValue) \(operation.id) of \(operation.resource), \(Int(seconds)) s, "
        + "\(operation.status.rawValue), \(operation.step ?? "-")"
    }
  }

  /// What is not as was acknowledged, when nothing is under way.
  func compare(vms: [VM], images: [Models.Image], guests: [String: Int]) -> [String] {
    var problems: [String] = []
    let present = Dictionary(uniqueKeysWithValues: vms.map { ($0.id, $0) })
    for (id, entry) in self.vms {
      guard let vm = present[id] else {
        if !entry.isRemovalAsked { problems.append("VM \(id) (\(entry.name)) was acknowledged and is gone") }
        continue
      }
      if entry.isGone || entry.isRemovalAsked { problems.append("VM \(id) was removed and is there as \(vm.state)") }
      if vm.name != entry.name { problems.append("VM \(id) is called \(vm.name) instead of \(entry.name)") }
      if let state = entry.state, vm.state != state, !entry.isRemovalAsked {
        problems.append("VM \(id) is \(vm.state) (\(vm.reason ?? "-")) and was acknowledged as \(state)")
      }
    }
    for (name, same) in Dictionary(grouping: vms, by: \.name) where same.count > 1 {
      problems.append("\(same.count) VMs came of one request: \(name)")
    }
    let listed = Set(images.map(\.id))
    for (id, entry) in self.images where entry.isGone == listed.contains(id) {
      problems.append("image \(id) (\(entry.name)) \(entry.isGone ? "was removed and is there" : "is gone")")
    }
    for (id, count) in guests where count > 1 { problems.append("VM \(id) runs \(count) times") }
    // What is gone for good need not be looked at again.
    self.vms = self.vms.filter { present[$0.key] != nil }
    self.images = self.images.filter { listed.contains($0.key) }
    return problems
  }
}

/// Where clients and faults wait while everything is checked.
actor Gate {
  private var isOpen = true
  private var inside = 0

  func enter() async throws {
    while !isOpen { try await Task.sleep(for: .milliseconds(50)) }
    inside += 1
  }

  func leave() { inside -= 1 }

  /// Closes it, and waits until nobody is inside.
  func close() async throws {
    isOpen = false
    let end = ContinuousClock.now + .seconds(240)
    while inside > 0 {
      guard ContinuousClock.now < end else { throw Unexpected("\(inside) requests are not answered") }
      try await Task.sleep(for: .milliseconds(50))
    }
  }

  func open() { isOpen = true }
}
