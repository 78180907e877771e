import ArgumentParser

struct Me: Verb {
  static let configuration = CommandConfiguration(
    abstract: "Show the account that is logged in.", discussion: "Example: iaas me")

  @OptionGroup var common: CommonOptions

  func run(in context: CommandContext) async throws {
    try output(context).object(try await context.me(), withAllFields: true)
  }
}
