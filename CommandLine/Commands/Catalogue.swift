import ArgumentParser

// The verbs that are alike for every kind of object.

/// `ls`, also as `list`.
struct ListCommand<Kind: Resource>: Verb {
  static var configuration: CommandConfiguration {
    CommandConfiguration(
      commandName: "ls", abstract: "List the \(Kind.noun)s that you may see.",
      discussion: "Example: iaas \(Kind.noun.lowercased()) ls \"\(Kind.exampleQuery)\" --sort=-createdAt --limit 20",
      aliases: ["list"])
  }

  @OptionGroup var common: CommonOptions

  @OptionGroup var options: SelectionOptions

  func run(in context: CommandContext) async throws {
    try await context.list(Kind.self, options.selection, output(context))
  }
}

/// `show`.
struct ShowCommand<Kind: Resource>: Verb {
  static var configuration: CommandConfiguration {
    CommandConfiguration(
      commandName: "show", abstract: "Show everything about one \(Kind.noun).",
      discussion: "Example: iaas \(Kind.noun.lowercased()) show 0199f3a2 -o json")
  }

  @OptionGroup var common: CommonOptions

  @Argument(help: "Its id, the beginning of its id, or its name.")
  var reference: String

  func run(in context: CommandContext) async throws {
    let id = try await context.resolver.id(reference, of: Kind.self)
    try output(context).object(try await context.client.get(Kind.self, Kind.path(id)), withAllFields: true)
  }
}

/// `rm`.
struct RemoveCommand<Kind: Resource>: Verb {
  static var configuration: CommandConfiguration {
    CommandConfiguration(
      commandName: "rm", abstract: "Remove one \(Kind.noun).",
      discussion: "Example: iaas \(Kind.noun.lowercased()) rm 0199f3a2")
  }

  @OptionGroup var common: CommonOptions
  @OptionGroup var wait: WaitOptions

  @Argument(help: "Its id, the beginning of its id, or its name.")
  var reference: String

  @OptionGroup var confirmation: ConfirmationOptions

  func run(in context: CommandContext) async throws {
    let id = try await confirmation.removal(of: reference, Kind.self, in: context)
    try await context.remove(id, as: reference, Kind.self, wait, output(context))
  }
}
