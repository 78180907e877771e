import ArgumentParser
import Models

// The verbs by which an administrator says what a host may be used for.

struct HostUp: Verb {
  static let configuration = CommandConfiguration(
    commandName: "up", abstract: "Use a host again.", discussion: "Example: iaas host up hv1.example.org:7443")

  @OptionGroup var common: CommonOptions
  @OptionGroup var wait: WaitOptions

  @Argument(help: "Its id, the beginning of its id, or its address.")
  var host: String

  func run(in context: CommandContext) async throws {
    let id = try await context.resolver.id(host, of: HostView.self)
    try await context.changeHost(id, to: .up, wait, output(context))
  }
}

struct HostMaintenance: Verb {
  static let configuration = CommandConfiguration(
    commandName: "maintenance", abstract: "Place nothing new on a host.",
    discussion: """
      What runs on it goes on.

      Example: iaas host maintenance hv1.example.org:7443
      """)

  @OptionGroup var common: CommonOptions
  @OptionGroup var wait: WaitOptions

  @Argument(help: "Its id, the beginning of its id, or its address.")
  var host: String

  @Flag(help: "End the maintenance.")
  var off = false

  func run(in context: CommandContext) async throws {
    let id = try await context.resolver.id(host, of: HostView.self)
    try await context.changeHost(id, to: off ? .up : .maintenance, wait, output(context))
  }
}

struct HostDead: Verb {
  static let configuration = CommandConfiguration(
    commandName: "dead", abstract: "Give a host up.",
    discussion: """
      Its VMs may then be made anew elsewhere. Never do so while the host may still run them: there would be two of \
      each.

      Example: iaas host dead hv1.example.org:7443
      """)

  @OptionGroup var common: CommonOptions
  @OptionGroup var wait: WaitOptions

  @Argument(help: "Its id, the beginning of its id, or its address.")
  var host: String

  @OptionGroup var confirmation: ConfirmationOptions

  func run(in context: CommandContext) async throws {
    let id = try await confirmation.object(
      host, of: HostView.self, in: context, act: "Giving a host up", refusal: "Nothing was changed.",
      question: Self.question)
    try await context.changeHost(id, to: .dead, wait, output(context))
  }

  private static func question(_ host: HostView) -> String {
    "Its VMs may then be made anew elsewhere, so it must be certain that it runs none of them any more, nor ever will "
      + "as it was. Give the host \(host.label) up?"
  }
}

extension CommandContext {
  fileprivate func changeHost(
    _ host: UUIDText, to state: HostState, _ wait: WaitOptions, _ output: Output
  ) async throws {
    let update = HostUpdate(state: state, overcommit: nil)
    try await change(.send(.put, HostView.path(host), update), HostView.self, wait, output)
  }
}
