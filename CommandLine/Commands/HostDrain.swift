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
    if wasRunning, stop {
      context.console.tell("\(vm.label): stopping")
      _ = try await context.waiter(wait).change(.changing(vm.id, .power(.stop)), VMView.self)
    } else if vm.state != VMState.stopped.rawValue {
      return false
    }
    guard let target = try await Self.target(for: vm, other: host, context) else {
      throw CommandFailure(.noCapacity, "no other host has room for it")
    }
    context.console.tell("\(vm.label): moving to \(target.label)")
    _ = try await context.waiter(wait).change(.changing(vm.id, .move(HostID(target.id.uuid))), VMView.self)
    if wasRunning { _ = try await context.waiter(wait).change(.changing(vm.id, .power(.start)), VMView.self) }
    return true
  }

  /// The host that is up and has most memory left.
  private static func target(
    for vm: VMView, other host: UUIDText, _ context: CommandContext
  ) async throws -> HostView? {
    let query = [(name: "query", value: "state = 'up' AND memFree >= \(vm.mem ?? 0) AND diskFree >= \(vm.disk ?? 0)")]
    let hosts = try await context.client.get([HostView].self, HostView.collectionPath, query: query).value
    return hosts.filter { $0.id != host }.max { ($0.memFree ?? 0) < ($1.memFree ?? 0) }
  }
}
