import ArgumentParser

/// What every list takes.
struct SelectionOptions: ParsableArguments {
  @Argument(help: "Only those for which this condition holds, written as in SQL.")
  var query: [String] = []

  @Option(
    parsing: .unconditional,
    help: ArgumentHelp("Sort by it, or with - before it the other way round.", valueName: "field"))
  var sort: String?

  @Option(help: ArgumentHelp("List no more than that.", valueName: "count"))
  var limit: Int?

  func validate() throws {
    guard limit ?? 1 > 0 else { throw ValidationError("--limit must be 1 or more.") }
    guard sort == nil || sort?.wholeMatch(of: /-?[A-Za-z][A-Za-z0-9]*/) != nil else {
      throw ValidationError("--sort takes the name of a field, such as name or -createdAt.")
    }
  }

  var selection: Selection {
    Selection(condition: query.isEmpty ? nil : query.joined(separator: " "), sort: sort, limit: limit)
  }
}

extension CommandContext {
  /// Prints a list, and says what is not shown of it.
  func list<Kind: Resource>(_: Kind.Type, _ selection: Selection, _ output: Output) async throws {
    let listing = try await Pages<Kind>(client: client).list(selection)
    try output.list(listing.fetched)
    if let remark = listing.remark { console.tell(remark) }
  }
}
