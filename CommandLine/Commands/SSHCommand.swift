import ArgumentParser
import Models

struct SSHCommand: Verb {
  static let configuration = CommandConfiguration(
    commandName: "ssh", abstract: "Log in to a VM with OpenSSH.",
    discussion: """
      It waits until the guest answers, and lets ssh accept the host keys that the server has of it and no others. They \
      are kept in known_hosts/ beside the saved login.

      Example: iaas ssh web1
      Example: iaas ssh web1 --user debian -- uname -a
      """)

  @OptionGroup var common: CommonOptions

  @Argument(help: "Id, beginning of the id, or name of the VM.")
  var vm: String

  @Option(help: "The account in the guest.")
  var user = "root"

  @Flag(name: .customLong("no-wait"), help: "Connect without knowing whether the guest answers.")
  var noWait = false

  @Option(help: ArgumentHelp("Give up waiting for the guest after this time.", valueName: "seconds"))
  var timeout = GuestWaiter.standardLimit

  @Argument(parsing: .postTerminator, help: "What to run in the guest; otherwise a shell.")
  var command: [String] = []

  func validate() throws { try WaitOptions.check(timeout: timeout) }

  func run(in context: CommandContext) async throws {
    let user = try SSHInvocation.checked(user: user)
    let id = try await context.resolver.id(vm, of: VMView.self)
    let guest = try await guest(id, context)
    guard let address = guest.address else {
      throw CommandFailure(.failed, "The VM \(guest.label) has no address at which it can be reached.")
    }
    let trust = try HostTrust(guest.hostKeys)
    if trust == .firstSeen {
      context.console.tell(
        "The server does not have the host keys of \(guest.label). ssh accepts what it sees first, and remembers it.")
    }
    try context.knownHosts.keep(trust, of: id)
    let invocation = SSHInvocation(
      vm: id, address: address, user: user, trust: trust, knownHosts: context.knownHosts.path(of: id), command: command)
    context.successor.choose(try invocation.program())
  }

  /// The VM, once its guest answers.
  private func guest(_ id: UUIDText, _ context: CommandContext) async throws -> VMView {
    let start = ContinuousClock.now
    let vm = try await context.client.get(VMView.self, VMView.path(id))
    guard !noWait else { return vm.value }
    let arrival = await context.guestWaiter(from: start, limit: timeout).wait(for: .ssh, of: vm)
    if let failure = arrival.failure { throw failure }
    return arrival.vm.value
  }
}
