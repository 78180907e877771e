import ArgumentParser

struct VersionCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "version", abstract: "Print the version of this program.", discussion: "Example: iaas version -o json")

  @OptionGroup var common: CommonOptions

  func run() throws { try print(on: ProcessConsole()) }

  func print(on console: any Console) throws {
    guard common.format == .table else {
      let output = Output(format: common.format, console: console)
      return try output.note("", name: Version.current, members: ["version": Version.current])
    }
    try console.print("iaas \(Version.current)\n")
  }
}
