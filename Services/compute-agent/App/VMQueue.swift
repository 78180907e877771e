import Models

/// Does one thing at a time to each VM, in the order of the calls.
actor VMQueue {
  private var last: [VMID: Task<Void, Never>] = [:]

  /// The VMs that something is being done to.
  var busy: Set<VMID> { Set(last.keys) }

  /// Runs the body when nothing else is being done to the VM. It runs to its end, also when the caller is gone.
  func alone<Value: Sendable>(
    with id: VMID, _ body: @escaping @Sendable () async throws -> Value
  ) async throws -> Value {
    let before = last[id]
    let work = Task {
      await before?.value
      return try await body()
    }
    let marker = Task { _ = await work.result }
    last[id] = marker
    defer { if last[id] == marker { last[id] = nil } }
    return try await work.value
  }
}
