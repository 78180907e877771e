import ArgumentParser
import ComputeAgent
import ServiceKit

@main
struct Main: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "compute-agent", abstract: "Carries out VMs on this hypervisor host, by libvirt.",
    discussion: "Configured by the environment; docs/configuration.md lists the variables.",
    subcommands: [Run.self, Setup.self, Doctor.self, Probe.self], defaultSubcommand: Run.self)

  struct Run: AsyncParsableCommand {
    static let configuration = CommandConfiguration(abstract: "Serve the installation that this host is added to.")

    func run() async throws { await ServiceMain.run("compute-agent", ComputeAgentApplication.build) }
  }

  struct Probe: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
      abstract: "Say whether guests can run under KVM here (kvm) or are emulated (emulated), by starting one.")

    func run() async throws { print(await ComputeAgentApplication.probe().rawValue) }
  }
}
