import ArgumentParser

struct CompletionCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "completion", abstract: "Print what makes a shell complete iaas.",
    discussion: """
      For bash: iaas completion bash >~/.local/share/bash-completion/completions/iaas

      Example: iaas completion zsh >"${fpath[1]}/_iaas"
      """)

  /// The shells that there is something for.
  enum Shell: String, ExpressibleByArgument, CaseIterable { case bash, zsh, fish }

  @Argument(help: "The shell.")
  var shell: Shell

  func run() throws { try print(on: ProcessConsole()) }

  func print(on console: any Console) throws {
    let kind: CompletionShell =
      switch shell {
      case .bash: .bash
      case .zsh: .zsh
      case .fish: .fish
      }
    try console.write(.init(IaaSCommand.completionScript(for: kind).utf8))
  }
}
