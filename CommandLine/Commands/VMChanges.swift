import Models

extension CommandContext {
  func changePower(
    _ reference: String, _ power: PowerRequest, to state: VMState, _ wait: GuestWaitOptions, _ output: Output
  ) async throws {
    let id = try await resolver.id(reference, of: VMView.self)
    try await changeVM(.changing(id, .power(power)), to: state, wait, output)
  }

  func changePower(
    _ reference: String, _ power: PowerRequest, to state: VMState, _ wait: WaitOptions, _ output: Output
  ) async throws {
    let id = try await resolver.id(reference, of: VMView.self)
    try await changeVM(.changing(id, .power(power)), to: state, wait, output)
  }

  /// Makes or alters a VM, waits for its guest if that was asked for, and prints the VM as it is then.
  /// - Throws: `CommandFailure`, also when the guest did not come as far as it should.
  func changeVM(_ request: APIRequest, to state: VMState?, _ wait: GuestWaitOptions, _ output: Output) async throws {
    guard let stage = wait.wait else { return try await changeVM(request, to: state, wait.change, output) }
    let asked = ContinuousClock.now
    let settled = try await waiter(wait.change).change(request, VMView.self)
    let waiter =
      wait.change.timeout.map { guestWaiter(from: asked, limit: $0) }
      ?? guestWaiter(from: .now, limit: GuestWaiter.standardLimit)
    let arrival = await waiter.wait(for: stage, of: settled.object)
    try output.object(arrival.vm)
    if let failure = arrival.failure { throw failure }
    tellHowToLogIn(arrival.vm.value)
  }

  /// Makes or alters a VM, prints it, and tells how to reach it once it runs.
  /// - Throws: `CommandFailure`, also when the VM did not get into the state that was asked for.
  func changeVM(_ request: APIRequest, to state: VMState?, _ wait: WaitOptions, _ output: Output) async throws {
    let settled = try await waiter(wait).change(request, VMView.self)
    try output.object(settled.object)
    let vm = settled.object.value
    if settled.isFinished, !wait.noWait, let state, vm.state != state.rawValue { throw vm.isElsewhere }
    if state == .running { tellHowToLogIn(vm) }
  }

  private func tellHowToLogIn(_ vm: VMView) {
    if let command = vm.sshCommand { console.tell("Log in with: \(command)") }
  }
}

extension APIRequest {
  /// One change of a VM.
  static func changing(_ vm: UUIDText, _ change: VMChange) throws -> APIRequest {
    try .send(.put, VMView.path(vm), VMUpdate(change))
  }
}

/// Memory as people write it.
enum Memory {
  /// In MiB; nil for none.
  /// - Throws: `CommandFailure` `usage`.
  static func mebibytes(_ text: String?) throws -> Int? {
    do { return try text.flatMap { try MemoryAmount(text: $0).mebibytes } } catch let error as ServiceError {
      throw CommandFailure(.usage, error.message)
    }
  }
}
