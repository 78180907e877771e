import ArgumentParser
import ComputeAgent
import Foundation

struct Setup: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    abstract: "Set this host up: settings, password and certificate, the checks of doctor, and the service.",
    discussion: """
      At a terminal it asks for what no option gives; Enter keeps what stands in brackets. It may be done again: settings, \
      password and certificate that are there stay. It ends with the command by which the host is added.

      Example: compute-agent setup --address hv2.example.org --installation 192.0.2.10
      """)

  @OptionGroup var configuration: ConfigurationOption

  @Option(help: ArgumentHelp("The enrolment account; agent unless it is given.", valueName: "name"))
  var user: String?

  @Option(
    help: ArgumentHelp(
      "Take the first line of this file as its password; otherwise the present one stays, or one is made up.",
      valueName: "file"))
  var passwordFile: String?

  @Option(help: ArgumentHelp("The address to listen at; 0.0.0.0 unless it is given.", valueName: "address"))
  var listen: String?

  @Option(help: ArgumentHelp("The port to listen at; 7443 unless it is given.", valueName: "port"))
  var port: Int?

  @Option(help: ArgumentHelp("The libvirt to use; qemu:///system unless it is given.", valueName: "uri"))
  var libvirt: String?

  @Option(help: ArgumentHelp("libvirt's network for VMs; default unless it is given.", valueName: "name"))
  var network: String?

  @Option(
    help: ArgumentHelp("Where the images are, if this host sees them; else they are fetched.", valueName: "folder"))
  var images: String?

  @Option(help: ArgumentHelp("Where VMs are kept; /var/lib/iaas-agent unless it is given.", valueName: "folder"))
  var state: String?

  @Option(
    help: ArgumentHelp(
      "Under which the installation and other hosts reach this one; guessed otherwise.", valueName: "name"))
  var address: String?

  @Option(
    help: ArgumentHelp("From where the installation calls, for the firewall rules proposed.", valueName: "address"))
  var installation: String?

  @Flag(name: .customLong("no-ask"), help: "Ask nothing, also at a terminal.")
  var asksNothing = false

  @Flag(name: .customLong("no-start"), help: "Leave the service as it is.")
  var startsNothing = false

  func validate() throws {
    guard port.map({ (1...65_535).contains($0) }) ?? true else {
      throw ValidationError("The port must be a number from 1 to 65535.")
    }
  }

  func run() async throws {
    var request = HostSetupApplication.Request(
      configuration: configuration.config, asks: !asksNothing && isatty(STDIN_FILENO) == 1, starts: !startsNothing)
    (request.user, request.passwordFile, request.host, request.port) = (user, passwordFile, listen, port)
    (request.libvirtURI, request.network, request.images, request.state) = (libvirt, network, images, state)
    (request.address, request.installation) = (address, installation)
    throw ExitCode(await HostSetupApplication.run(request))
  }
}
