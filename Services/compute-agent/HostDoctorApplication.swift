import Foundation
import ServiceKit

/// The composition root of `compute-agent doctor`.
public enum HostDoctorApplication {
  /// What an operator, or the unit, asks for.
  public struct Request: Sendable {
    /// The file of the agent's variables.
    public var configuration: String
    /// Only what must be so before a start.
    public var isStart: Bool
    public var format: ReportFormat
    /// The address from which the installation calls, for the rules that are proposed.
    public var installation: String?

    public init(configuration: String, isStart: Bool, format: ReportFormat, installation: String?) {
      self.configuration = configuration
      self.isStart = isStart
      self.format = format
      self.installation = installation
    }
  }

  public static let standardConfiguration = "/etc/iaas/compute-agent.conf"

  /// Checks, and tells on standard output what was found.
  /// - Returns: The exit status: 0, or 1 where a check failed.
  public static func run(_ request: Request) async throws -> Int32 {
    let report = HostFindings(checks: await checks(request))
    print(try report.text(request.format))
    if let sentence = report.sentence { tell("compute-agent: \(sentence)") }
    return report.failures == 0 ? 0 : 1
  }

  static func tell(_ line: String) { FileHandle.standardError.write(Data((line + "\n").utf8)) }

  private static func checks(_ request: Request) async -> [HostCheck] {
    do {
      let file = try HostConfiguration(path: request.configuration)
      let settings = try AgentSettings(.from(environment: file.environment))
      let doctor = HostDoctor(settings: settings, source: file.source, installation: request.installation)
      return request.isStart ? await doctor.startChecks() : await doctor.allChecks()
    } catch {
      return [.bad("configuration", "\(error) Run: compute-agent setup")]
    }
  }
}

/// The agent's variables: of its file, and those of this process, which count more.
struct HostConfiguration: Sendable {
  let path: String
  /// Nil where there is no file yet.
  let text: ConfigurationText?

  /// - Throws: `SettingsError` when there is a file that cannot be read.
  init(path: String) throws {
    self.path = path
    guard FileManager.default.fileExists(atPath: path) else {
      text = nil
      return
    }
    guard let content = try? String(contentsOfFile: path, encoding: .utf8) else {
      throw SettingsError("\(path) cannot be read: run this as root.")
    }
    text = ConfigurationText(content)
  }

  var environment: [String: String] {
    let own = ProcessInfo.processInfo.environment.filter { $0.key.hasPrefix("IAAS_") }
    return (text?.values ?? [:]).merging(own) { $1 }
  }

  var source: String { text == nil ? "the environment alone; there is no \(path)" : path }
}
