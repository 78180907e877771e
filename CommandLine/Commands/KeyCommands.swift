import ArgumentParser
import Models

struct KeyCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "keys", abstract: "Your public keys, to be put into VMs.", discussion: "Example: iaas keys ls",
    subcommands: [
      ListCommand<KeyView>.self, ShowCommand<KeyView>.self, AddKey.self, DefaultKey.self, RemoveCommand<KeyView>.self,
    ], aliases: ["key"])
}

struct AddKey: Verb {
  static let configuration = CommandConfiguration(
    commandName: "add", abstract: "Keep a public key.",
    discussion: """
      Example: iaas keys add laptop ~/.ssh/id_ed25519.pub --default
      Example: iaas keys add laptop "ssh-ed25519 AAAA… ana@laptop"
      """)

  @OptionGroup var common: CommonOptions

  @Argument(help: "What to call it.")
  var name: String

  @Argument(help: "The key in OpenSSH's format, or a file that holds it.", completion: .file())
  var key: String

  @Flag(name: .customLong("default"), help: "Put it into VMs for which no keys are named.")
  var isDefault = false

  func run(in context: CommandContext) async throws {
    let key = NewSSHKey(name: name, key: try KeySource.readOne(key), isDefault: isDefault)
    let answer = try await context.client.send(.send(.post, KeyView.collectionPath, key))
    let made: Fetched<KeyView> = try context.client.decode(answer)
    try output(context).object(made)
  }
}

struct DefaultKey: Verb {
  static let configuration = CommandConfiguration(
    commandName: "default", abstract: "Put a key into VMs for which no keys are named.",
    discussion: """
      Several keys can be defaults.

      Example: iaas keys default laptop
      """)

  @OptionGroup var common: CommonOptions

  @Argument(help: "Its id, the beginning of its id, or its name.")
  var key: String

  @Flag(help: "Do so no more.")
  var off = false

  func run(in context: CommandContext) async throws {
    let id = try await context.resolver.id(key, of: KeyView.self)
    let update = SSHKeyUpdate(name: nil, isDefault: !off)
    let answer = try await context.client.send(.send(.put, KeyView.path(id), update))
    let updated: Fetched<KeyView> = try context.client.decode(answer)
    try output(context).object(updated)
  }
}
