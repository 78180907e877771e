import ArgumentParser
import ComputeAgent

extension ReportFormat: ExpressibleByArgument {}

struct ConfigurationOption: ParsableArguments {
  @Option(help: ArgumentHelp("The file of the agent's variables.", valueName: "file"))
  var config = HostDoctorApplication.standardConfiguration
}

struct Doctor: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    abstract: "Check this host: libvirt, virtualisation, storage, network, firewall, clock and enrolment.",
    discussion: """
      Each line is a check; what is wrong says what to do. Nothing is changed. Ends 0 if all is well or but for warnings, \
      1 if a check failed. The variables of the environment count more than those of the file.

      Example: compute-agent doctor --installation 192.0.2.10
      """)

  @OptionGroup var configuration: ConfigurationOption

  @Option(name: .shortAndLong, help: "How the checks are told: table or json.")
  var output = ReportFormat.table

  @Option(
    help: ArgumentHelp("From where the installation calls, for the firewall rules proposed.", valueName: "address"))
  var installation: String?

  @Flag(help: "Only what must be so before the agent starts, for its unit.")
  var start = false

  func run() async throws {
    let status = try await HostDoctorApplication.run(
      HostDoctorApplication.Request(
        configuration: configuration.config, isStart: start, format: output, installation: installation))
    throw ExitCode(status)
  }
}
