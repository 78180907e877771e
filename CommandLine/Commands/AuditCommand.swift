import ArgumentParser

struct AuditCommand: Verb {
  /// Entries that are listed unless --limit says otherwise.
  private static let standardLimit = 50

  static let configuration = CommandConfiguration(
    commandName: "audit", abstract: "List who did what, the newest first.",
    discussion: "Example: iaas audit \"status = 401 AND createdAt > '2030-01-01'\" --limit 200")

  @OptionGroup var common: CommonOptions
  @OptionGroup var options: SelectionOptions

  func run(in context: CommandContext) async throws {
    var selection = options.selection
    selection.limit = selection.limit ?? Self.standardLimit
    selection.sort = selection.sort ?? "-createdAt"
    try await context.list(AuditView.self, selection, output(context))
  }
}
