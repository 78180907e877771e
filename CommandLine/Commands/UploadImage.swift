import ArgumentParser
import Models

struct UploadImage: Verb {
  static let configuration = CommandConfiguration(
    commandName: "upload", abstract: "Make an image from a file of this machine.",
    discussion: """
      The image is removed again if its content does not arrive whole.

      Example: iaas image upload ./debian-12.qcow2 debian-12 "Debian 12"
      """)

  @OptionGroup var common: CommonOptions
  @OptionGroup var wait: WaitOptions

  @Argument(help: "A disk image.", completion: .file())
  var file: String

  @Argument(help: "What to call it; otherwise as the file.")
  var name: String?

  @Argument(help: "What it is.")
  var desc: String?

  @Option(help: ArgumentHelp("SHA-256 that the received bytes must have.", valueName: "hex"))
  var sha256: String?

  @OptionGroup var platform: PlatformOptions

  func run(in context: CommandContext) async throws {
    let content = try FileContent(path: file)
    let name = try name ?? ImageName.derived(fromPath: file)
    let upload = ImageUpload(
      client: context.client, console: context.console, waiter: context.waiter(wait), content: content)
    let image = NewImage(url: nil, name: name, desc: desc ?? "", sha256: sha256, arch: platform.arch)
    try output(context).object(try await upload.run(image, interruptions: await context.interruptions()).object)
  }
}
