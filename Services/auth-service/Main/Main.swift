import ArgumentParser
import AuthService
import ServiceKit

@main
struct Main: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "auth-service", abstract: "Users, passwords, sessions and tokens of an installation.",
    discussion: "Configured by the environment; the README lists the variables.")

  func run() async throws { await ServiceMain.run("auth-service", AuthServiceApplication.build) }
}
