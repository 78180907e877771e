import Foundation
import ServiceKit

/// The composition root of `compute-agent setup`.
public enum HostSetupApplication {
  /// What an operator gives; what is nil is asked for, or stays as it is.
  public struct Request: Sendable {
    public var configuration: String
    public var user: String?
    public var passwordFile: String?
    public var host: String?
    public var port: Int?
    public var libvirtURI: String?
    public var network: String?
    public var images: String?
    public var state: String?
    /// Under which others reach this host.
    public var address: String?
    public var installation: String?
    /// Whether somebody sits at a terminal, to be asked.
    public var asks: Bool
    /// Whether the unit is started, where systemd runs.
    public var starts: Bool

    public init(configuration: String, asks: Bool, starts: Bool) {
      (self.configuration, self.asks, self.starts) = (configuration, asks, starts)
    }
  }

  /// Sets the host up, and tells on standard output how it is added.
  /// - Returns: The exit status: 0, or 1 where a check failed.
  public static func run(_ request: Request) async -> Int32 {
    do { return try await setUp(request) } catch {
      HostDoctorApplication.tell("compute-agent: \(error)")
      return 1
    }
  }

  private static func setUp(_ request: Request) async throws -> Int32 {
    let setup = HostSetup(path: request.configuration)
    let answers = HostSetup.Answers(
      user: request.user, host: request.host, port: request.port.map { String($0) }, libvirtURI: request.libvirtURI,
      network: request.network, images: request.images, state: request.state)
    let settings = try setup.configure(answers) { request.asks ? ask($0, $1) : nil }
    let password = try setup.ensurePassword(at: settings.passwordFile, from: request.passwordFile)
    let certificate = try HostSetup.ensureState(settings)
    print("The settings are in \(request.configuration).\n")

    let doctor = HostDoctor(settings: settings, source: request.configuration, installation: request.installation)
    let report = HostFindings(checks: await doctor.hostChecks())
    print(try report.text(.table) + "\n")
    if request.starts { print(await start() + "\n") }
    if let password {
      print(
        """
        The password of \(settings.enrolmentUser), shown this once, is \(password)
        It is kept in \(settings.passwordFile), which root alone reads.

        """)
    }
    print(
      """
      Add this host as an administrator of the installation, with the password in a file there:

        \(HostSetup.command(settings, fingerprint: certificate.fingerprint, address: request.address))
      """)
    if let sentence = report.sentence { HostDoctorApplication.tell("compute-agent: \(sentence)") }
    return report.failures == 0 ? 0 : 1
  }

  private static func ask(_ question: HostSetup.Question, _ present: String) -> String? {
    FileHandle.standardError.write(Data("\(question.text) [\(present)]: ".utf8))
    return readLine()?.trimmingCharacters(in: .whitespaces)
  }

  /// Starts the unit, or starts it anew with what was written.
  private static func start() async -> String {
    guard access("/run/systemd/system", F_OK) == 0 else {
      return "No systemd runs here; compute-agent is to be started in another way."
    }
    let unit = ServiceChecks.unit
    for words in [["enable", unit], ["restart", unit]] {
      let outcome = try? await Tool.run("systemctl", words)
      guard outcome?.succeeded == true else {
        return "The service does not start. Look at: journalctl -u compute-agent"
      }
    }
    return "The service runs, and starts with the machine."
  }
}
