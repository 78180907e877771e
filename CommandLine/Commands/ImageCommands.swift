import ArgumentParser
import Models

struct ImageCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "image", abstract: "Disk images that VMs are made from.", discussion: "Example: iaas image ls",
    subcommands: [
      ListCommand<ImageView>.self, ShowCommand<ImageView>.self, AddImage.self, RemoveCommand<ImageView>.self,
    ])
}

struct AddImage: Verb {
  static let configuration = CommandConfiguration(
    commandName: "add", abstract: "Import an image from the web.",
    discussion: "Example: iaas image add https://example.org/debian-12.qcow2 debian-12 \"Debian 12\" --timeout 1800")

  @OptionGroup var common: CommonOptions
  @OptionGroup var wait: WaitOptions

  @Argument(help: "Where the server fetches it.")
  var url: String

  @Argument(help: "What to call it.")
  var name: String

  @Argument(help: "What it is.")
  var desc: String

  @Option(help: ArgumentHelp("SHA-256 that the fetched bytes must have.", valueName: "hex"))
  var sha256: String?

  func run(in context: CommandContext) async throws {
    let image = NewImage(url: url, name: name, desc: desc, sha256: sha256)
    try await context.change(.send(.post, ImageView.collectionPath, image), ImageView.self, wait, output(context))
  }
}
