import ArgumentParser
import Foundation
import InventoryService
import ServiceKit

@main
struct Main: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "inventory-service", abstract: "Hosts, images, VMs and permissions, and the control loop.",
    discussion: "Configured by the environment; docs/configuration.md lists the variables.",
    subcommands: [Run.self, Check.self], defaultSubcommand: Run.self)

  struct Run: AsyncParsableCommand {
    static let configuration = CommandConfiguration(abstract: "Serve the installation.")

    func run() async throws { await ServiceMain.run("inventory-service", InventoryServiceApplication.build) }
  }

  struct Check: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
      commandName: "fsck", abstract: "Compare the database, every agent and the image store with one another.",
      discussion: """
        Reads and changes nothing, also beside running services, whose environment it takes. One line for each promise \
        that is broken: its number in the specification, what it is about, and the problem. Ends 0 if all is well, 1 if \
        something is broken, 3 if nothing is but something could not be looked at, 2 if it could not be run.

        Users are checked where IAAS_AUTH_URL and IAAS_CALLER_SECRET are set, as they are for the gateway.
        """)

    @Option(help: ArgumentHelp("How long to wait for what is just being done.", valueName: "seconds"))
    var settle = 30

    @Flag(help: "Mend what follows from the rest: sums, orphaned permissions, work that was lost.")
    var repair = false

    @Flag(help: "Tell it as JSON.")
    var json = false

    func run() async throws {
      do {
        let status = try await FsckApplication.run(
          FsckApplication.Request(settleSeconds: settle, repairs: repair, isJSON: json), .fromEnvironment())
        throw ExitCode(status.rawValue)
      } catch let code as ExitCode { throw code } catch {
        FileHandle.standardError.write(Data("fsck: \(error)\n".utf8))
        throw ExitCode(2)
      }
    }
  }
}
