import ArgumentParser
import Models

struct ImageCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "image", abstract: "Disk images that VMs are made from.", discussion: "Example: iaas image ls",
    subcommands: [
      ListCommand<ImageView>.self, ShowCommand<ImageView>.self, ListCatalogue.self, AddImage.self, UploadImage.self,
      UpdateImage.self, RemoveCommand<ImageView>.self, ShareCommand<ImageView>.self, UnshareCommand<ImageView>.self,
      SharesCommand<ImageView>.self,
    ])
}

struct ListCatalogue: Verb {
  static let configuration = CommandConfiguration(
    commandName: "catalogue", abstract: "List the public images that can be added by name.",
    discussion: "Example: iaas image catalogue")

  @OptionGroup var common: CommonOptions

  func run(in context: CommandContext) async throws {
    try output(context).list(try await context.client.get([CatalogueEntry].self, "/iaas/catalogue"))
  }
}

/// What an image runs on.
struct PlatformOptions: ParsableArguments {
  @Option(
    help: ArgumentHelp(
      "The processors it runs on: \(Architecture.known.joined(separator: " or ")). Otherwise \(Architecture.standard).",
      valueName: "arch"))
  var arch: String?
}

struct AddImage: Verb {
  static let configuration = CommandConfiguration(
    commandName: "add", abstract: "Import an image from the web.",
    discussion: """
      Example: iaas image add debian-12
      Example: iaas image add https://example.org/debian-12.qcow2 debian-12 "Debian 12" --timeout 1800
      """)

  @OptionGroup var common: CommonOptions
  @OptionGroup var wait: WaitOptions

  @Argument(help: "Where the server fetches it, or its name in the catalogue.")
  var url: String

  @Argument(help: "What to call it; otherwise as the URL's file, or as in the catalogue.")
  var name: String?

  @Argument(help: "What it is.")
  var desc: String?

  @Option(help: ArgumentHelp("SHA-256 that the fetched bytes must have.", valueName: "hex"))
  var sha256: String?

  @Option(help: ArgumentHelp("The publisher's list of checksums, to look the URL's file up in.", valueName: "url"))
  var checksums: String?

  @OptionGroup var platform: PlatformOptions

  func run(in context: CommandContext) async throws {
    let request = try APIRequest.send(.post, ImageView.collectionPath, try newImage)
    try await context.change(request, ImageView.self, wait, output(context))
  }

  private var newImage: NewImage {
    get throws {
      guard !NewImage.isName(url) else {
        return NewImage(url: url, name: name, desc: desc, sha256: sha256, checksums: checksums, arch: platform.arch)
      }
      let name = try name ?? ImageName.derived(fromURL: url)
      return NewImage(
        url: url, name: name, desc: desc ?? "", sha256: sha256, checksums: checksums, arch: platform.arch)
    }
  }
}

struct UpdateImage: Verb {
  static let configuration = CommandConfiguration(
    commandName: "update", abstract: "Rename or describe an image.",
    discussion: "Example: iaas image update debian-12 --desc \"Debian 12, with our packages\"")

  @OptionGroup var common: CommonOptions

  @Argument(help: "Its id, the beginning of its id, or its name.")
  var image: String

  @Option(help: "What to call it from now on.")
  var name: String?

  @Option(help: "What it is.")
  var desc: String?

  func validate() throws {
    guard name != nil || desc != nil else { throw ValidationError("Give --name, --desc or both.") }
  }

  func run(in context: CommandContext) async throws {
    let id = try await context.resolver.id(image, of: ImageView.self)
    let update = ImageUpdate(name: name, desc: desc)
    let answer = try await context.client.send(.send(.put, ImageView.path(id), update))
    let updated: Fetched<ImageView> = try context.client.decode(answer)
    try output(context).object(updated)
  }
}
