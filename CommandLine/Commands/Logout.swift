import ArgumentParser

struct Logout: Verb {
  static let configuration = CommandConfiguration(
    abstract: "End the session, and forget its token.", discussion: "Example: iaas logout")

  @OptionGroup var common: CommonOptions

  func run(in context: CommandContext) async throws {
    let server = "\(context.settings.server)"
    if context.settings.token != nil { try await end(context) }
    try output(context).note("Logged out of \(server).", name: server, members: ["url": server])
  }

  /// The token is forgotten whatever the server says; one that it does not know any more has ended already.
  private func end(_ context: CommandContext) async throws {
    try context.settings.forgetToken()
    do {
      _ = try await context.client.send(.delete("/iaas/sessions"))
    } catch let failure as CommandFailure where failure.status == .refused {
    } catch let failure as CommandFailure {
      let reason = failure.lines.first ?? ""
      throw CommandFailure(failure.status, "The token is forgotten here, but the session has not ended. \(reason)")
    }
  }
}
