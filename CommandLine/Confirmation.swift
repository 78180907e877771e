import ArgumentParser
import Models

/// Whether whoever asks is asked back, before something that cannot be undone.
struct ConfirmationOptions: ParsableArguments {
  @Flag(name: [.short, .customLong("yes")], help: "Do not ask.")
  var yes = false

  /// Finds an object, and asks about it unless that was said to be needless.
  /// - Parameters:
  ///   - act: What is about to be done, as in "Rebuilding a VM", where a script has to say -y for it; nil where it need not.
  ///   - refusal: What to say to a no.
  /// - Throws: `CommandFailure` for a no, and where nobody can be asked.
  func object<Kind: Resource>(
    _ reference: String, of kind: Kind.Type, in context: CommandContext, act: String?, refusal: String,
    question: (Kind) async throws -> String
  ) async throws -> UUIDText {
    guard !yes else { return try await context.resolver.id(reference, of: kind) }
    guard context.console.readsFromTerminal else {
      guard let act else { return try await context.resolver.id(reference, of: kind) }
      throw CommandFailure(.usage, "\(act) needs -y when there is no terminal to ask at.")
    }
    let found = try await context.resolver.object(reference, of: kind)
    context.console.ask(Text.printable("\(try await question(found)) [y/N] ", limit: .max))
    guard ["y", "yes"].contains(context.console.readLine()?.lowercased()) else {
      throw CommandFailure(.failed, refusal)
    }
    return found.id
  }

  /// Asks before something is removed, at a terminal.
  /// - Parameter losses: What goes with it, such as "and its disk".
  func removal<Kind: Resource>(
    of reference: String, _ kind: Kind.Type, in context: CommandContext,
    losses: (Kind) async throws -> String? = { _ in nil }
  ) async throws -> UUIDText {
    try await object(reference, of: kind, in: context, act: nil, refusal: "Nothing was removed.") { found in
      let losses = try await losses(found).map { " \($0)" } ?? ""
      return "Remove the \(Kind.noun) \(found.label)\(losses)?"
    }
  }
}
