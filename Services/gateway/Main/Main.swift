import ArgumentParser
import Gateway
import ServiceKit

@main
struct Main: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "gateway", abstract: "The /iaas surface of an installation.",
    discussion: "Configured by the environment; docs/configuration.md lists the variables.")

  func run() async throws { await ServiceMain.run("gateway", GatewayApplication.build) }
}
