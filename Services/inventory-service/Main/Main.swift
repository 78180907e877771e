import ArgumentParser
import InventoryService
import ServiceKit

@main
struct Main: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "inventory-service", abstract: "Hosts, images, VMs and permissions, and the control loop.",
    discussion: "Configured by the environment; the README lists the variables.")

  func run() async throws { await ServiceMain.run("inventory-service", InventoryServiceApplication.build) }
}
