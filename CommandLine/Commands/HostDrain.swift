import ArgumentParser
import Models

struct DrainHost: Verb {
  static let configuration = CommandConfiguration(
    commandName: "drain", abstract: "Empty a host: nothing new is placed on it, and its stopped VMs are moved away.",
    discussion: """
      VMs that run stay, and are named: a VM is moved when it is stopped. With --stop they are stopped, moved, and started \
      again where they are then.

      Example: iaas host drain hv1.example.org:7443 --stop
      """)

  @OptionGroup var common: CommonOptions
  @OptionGroup var wait: WaitOptions

  @Argument(help: "Its id, the beginning of its id, or its address.")
  var host: String

  @Flag(help: "Stop VMs that run, and start them again on their new hosts.")
  var stop = false

  func validate() throws {
    guard !wait.noWait else { throw ValidationError("Draining waits for each VM. Without that: iaas host maintenance") }
  }

  func run(in context: CommandContext) async throws {
    let id = try await context.resolver.id(host, of: HostView.self)
    let update = HostUpdate(state: .maintenance, overcommit: nil)
    _ = try await context.waiter(wait).change(.send(.put, HostView.path(id), update), HostView.self)
    let query = [(name: "query", value: "host = '\(id)'")]
    let vms = try await context.client.get([VMView].self, VMView.collectionPath, query: query).value
    var left: [String] = []
    for vm in vms {
      do { if try await !move(vm, from: id, context) { left.append("\(vm.label) is \(vm.state)") } } catch let failure
        as CommandFailure where failure.status != .failed || !Self.isInterruption(failure)
      {
        left.append("\(vm.label): \(failure.lines.first ?? "")")
      }
    }
    let moved = vms.count - left.count
    try output(context).note(
      "Moved \(moved) of \(vms.count) VMs away from \(host), which is in maintenance.", name: host,
      members: ["id": "\(id)", "moved": "\(moved)", "left": "\(left.count)"])
    guard left.isEmpty else {
      throw CommandFailure(.conflict, lines: ["These stay on \(host):"] + left.map { "  \($0)" })
    }
  }

  private static func isInterruption(_ failure: CommandFailure) -> Bool {
    failure.lines.first == Interruption.failure.lines.first
  }

  /// - Returns: Whether it has left.
  private func move(_ vm: VMView, from host: UUIDText, _ context: CommandContext) async throws -> Bool {
    let wasRunning = vm.state == VMState.running.rawValue
    guard vm.state == VMState.stopped.rawValue || (wasRunning && stop) else { return false }
    // Before anything is stopped for it.
    let target = try await target(for: vm, context)
    if wasRunning {
      context.console.tell("\(vm.label): stopping")
      _ = try await context.waiter(wait).change(.changing(vm.id, .power(.stop)), VMView.self)
    }
    do {
      context.console.tell("\(vm.label): moving to \(target.addr)")
      let change = VMChange.move(HostID(target.host.uuid))
      _ = try await context.waiter(wait).change(.changing(vm.id, change), VMView.self)
    } catch {
      if wasRunning { try? await start(vm, context) }
      throw error
    }
    if wasRunning { try await start(vm, context) }
    return true
  }

  private func start(_ vm: VMView, _ context: CommandContext) async throws {
    context.console.tell("\(vm.label): starting")
    _ = try await context.waiter(wait).change(.changing(vm.id, .power(.start)), VMView.self)
  }

  /// Where such a VM would be placed now.
  private func target(for vm: VMView, _ context: CommandContext) async throws -> HostVerdictView {
    guard let image = vm.image.flatMap({ UUIDText($0) }) else {
      throw CommandFailure(.failed, "the server does not say what it was made from")
    }
    let like = NewVM(
      image: ImageID(image.uuid), mem: vm.mem, vcpus: vm.vcpus, disk: vm.disk, name: nil, sshKeys: [], start: false)
    let answer = try await context.client.send(.send(.post, "/iaas/placements", like))
    let placement: Fetched<PlacementView> = try context.client.decode(answer)
    guard let best = placement.value.hosts?.first(where: { $0.best == true }) else {
      throw CommandFailure(.noCapacity, "no other host has room for it")
    }
    return best
  }
}
