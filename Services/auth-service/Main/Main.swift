import ArgumentParser
import AuthService
import Foundation
import ServiceKit

@main
struct Main: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "auth-service", abstract: "Users, passwords, sessions and tokens of an installation.",
    discussion: "Configured by the environment; docs/configuration.md lists the variables.",
    subcommands: [Run.self, RotateKeys.self], defaultSubcommand: Run.self)

  struct Run: AsyncParsableCommand {
    static let configuration = CommandConfiguration(abstract: "Serve the installation.")

    func run() async throws { await ServiceMain.run("auth-service", AuthServiceApplication.build) }
  }

  struct RotateKeys: ParsableCommand {
    static let configuration = CommandConfiguration(
      abstract: "Put a new key of tokens into the file that IAAS_TOKEN_KEYS names.",
      discussion: "Tokens of the key before stay good until the next rotation. Running services need no restart.")

    func run() throws {
      do { print("the key is now \(try AuthServiceApplication.rotateKeys(.fromEnvironment()))") } catch {
        FileHandle.standardError.write(Data("\(error)\n".utf8))
        throw ExitCode.failure
      }
    }
  }
}
