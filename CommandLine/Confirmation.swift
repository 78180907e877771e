import ArgumentParser
import Models

/// Whether whoever asks is asked back, before something that cannot be undone.
struct ConfirmationOptions: ParsableArguments {
  @Flag(name: [.short, .customLong("yes")], help: "Do not ask.")
  var yes = false

  /// Finds an object, and asks about it unless that was said to be needless.
  /// - Parameters:
  ///   - act: What is about to be done, as in "Removing a VM".
  ///   - refusal: What to say to a no.
  /// - Throws: `CommandFailure` for a no, and where nobody can be asked.
  func object<Kind: Resource>(
    _ reference: String, of kind: Kind.Type, in context: CommandContext, act: String, refusal: String,
    question: (Kind) -> String
  ) async throws -> UUIDText {
    guard !yes else { return try await context.resolver.id(reference, of: kind) }
    guard context.console.readsFromTerminal else {
      throw CommandFailure(.usage, "\(act) needs -y when there is no terminal to ask at.")
    }
    let found = try await context.resolver.object(reference, of: kind)
    context.console.ask(Text.printable("\(question(found)) [y/N] ", limit: .max))
    guard ["y", "yes"].contains(context.console.readLine()?.lowercased()) else {
      throw CommandFailure(.failed, refusal)
    }
    return found.id
  }
}
