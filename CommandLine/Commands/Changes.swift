import Models

extension CommandContext {
  /// Makes or alters an object, and prints it.
  func change<Kind: Resource>(
    _ request: APIRequest, _ kind: Kind.Type, _ wait: WaitOptions, _ output: Output
  ) async throws {
    try output.object(try await waiter(wait).change(request, kind).object)
  }

  /// Removes an object, and says that it is gone or will be.
  func remove<Kind: Resource>(
    _ id: UUIDText, as reference: String, _ kind: Kind.Type, _ wait: WaitOptions, _ output: Output
  ) async throws {
    let verb = try await waiter(wait).remove(id, kind) ? "Removed" : "Removing"
    let label = reference == "\(id)" ? reference : "\(reference) (\(id))"
    try output.note("\(verb) the \(kind.noun) \(label).", name: reference, members: ["id": "\(id)"])
  }

  func changePower(
    _ reference: String, _ power: PowerRequest, to state: VMState, _ wait: WaitOptions, _ output: Output
  ) async throws {
    let id = try await resolver.id(reference, of: VMView.self)
    let request = try APIRequest.send(.put, VMView.path(id), VMUpdate(state: power))
    try await changeVM(request, to: state, wait, output)
  }

  /// Makes or alters a VM, prints it, and tells how to reach it once it runs.
  /// - Throws: `CommandFailure`, also when the VM did not get into the state that was asked for.
  func changeVM(_ request: APIRequest, to state: VMState?, _ wait: WaitOptions, _ output: Output) async throws {
    let settled = try await waiter(wait).change(request, VMView.self)
    try output.object(settled.object)
    let vm = settled.object.value
    if settled.isFinished, !wait.noWait, let state, vm.state != state.rawValue {
      throw CommandFailure(.failed, "The VM \(vm.label) is \(vm.state)\(vm.reason.map { ": \($0)" } ?? ".")")
    }
    if state != .stopped, let command = vm.sshCommand { console.tell("Log in with: \(command)") }
  }
}
