import Foundation
import Models
import ServiceKit

/// Sets a host up: writes what was answered, and makes password and certificate where there are none. Done again, it keeps
/// what is there.
struct HostSetup: Sendable {
  /// What is asked for; nil for what stays as it is.
  struct Answers: Sendable {
    var user: String?
    var host: String?
    var port: String?
    var libvirtURI: String?
    var network: String?
    var images: String?
    var state: String?
  }

  /// One of the variables that are asked for.
  struct Question: Sendable {
    let variable: String
    let text: String
    let standard: String
    let answer: @Sendable (Answers) -> String?
  }

  static let questions = [
    Question(variable: "IAAS_ENROLMENT_USER", text: "Enrolment account", standard: AgentSettings.standardUser) {
      $0.user
    },
    // Elsewhere than on the installation's own machine, loopback would be of no use.
    Question(variable: "IAAS_HTTP_HOST", text: "Address to listen at", standard: "0.0.0.0") { $0.host },
    Question(variable: "IAAS_HTTP_PORT", text: "Port", standard: String(AgentSettings.defaultPort)) { $0.port },
    Question(variable: "IAAS_LIBVIRT_URI", text: "libvirt", standard: AgentSettings.standardURI) { $0.libvirtURI },
    Question(variable: "IAAS_NETWORK", text: "libvirt's network for VMs", standard: AgentSettings.standardNetwork) {
      $0.network
    },
    Question(
      variable: "IAAS_IMAGES_DIR", text: "Folder of images, where it is mounted", standard: AgentSettings.standardImages
    ) { $0.images },
    Question(variable: "IAAS_AGENT_STATE", text: "Folder of VMs", standard: AgentSettings.standardState) { $0.state },
  ]

  let path: String

  private static let heading = """
    # Settings of compute-agent, a NAME=value a line; docs/configuration.md has them all.

    """

  /// Writes the answers into the file, and says where the password is in it.
  /// - Parameter ask: Of a question and what holds until now, what somebody says; empty for what holds.
  /// - Throws: `SettingsError` for what cannot be used or written.
  func configure(_ answers: Answers, ask: (Question, String) -> String?) throws -> AgentSettings {
    var text = try HostConfiguration(path: path).text ?? ConfigurationText(Self.heading)
    for question in Self.questions {
      let present = text.values[question.variable].flatMap { $0.isEmpty ? nil : $0 } ?? question.standard
      let said = question.answer(answers) ?? ask(question, present).flatMap { $0.isEmpty ? nil : $0 }
      try Self.check(said ?? present, for: question.variable)
      text.set(question.variable, said ?? present)
    }
    let folder = (path as NSString).deletingLastPathComponent
    if text.values["IAAS_ENROLMENT_PASSWORD_FILE", default: ""].isEmpty {
      text.set("IAAS_ENROLMENT_PASSWORD_FILE", "\(folder)/enrolment-password")
    }
    let settings = try AgentSettings(.from(environment: text.values))
    try write(text, in: folder)
    return settings
  }

  private static func check(_ value: String, for variable: String) throws {
    guard Text.printable(value, limit: .max) == value else {
      throw SettingsError("\(variable) has a character that cannot be printed.")
    }
  }

  private func write(_ text: ConfigurationText, in folder: String) throws {
    let mode = (try? FileManager.default.attributesOfItem(atPath: path))?[.posixPermissions] as? Int ?? 0o644
    let temporary = path + ".new"
    do {
      if access(folder, F_OK) != 0 { try Folder.ensure(folder, mode: 0o750) }
      try Data(text.text.utf8).write(to: URL(fileURLWithPath: temporary))
      guard chmod(temporary, mode_t(mode)) == 0 else { throw FileError(path: temporary, code: errno) }
      try Files.place(temporary, as: path)
    } catch { throw SettingsError("\(path) cannot be written: run this as root. (\(Self.reason(error)))") }
  }

  private static func reason(_ error: any Error) -> String {
    (error as? FileError)?.description ?? error.localizedDescription
  }

  /// Sees to it that there is a password.
  /// - Parameter given: A file whose first line is to be the password.
  /// - Returns: The password, where it was made up just now.
  /// - Throws: `SettingsError`.
  func ensurePassword(at path: String, from given: String?) throws -> String? {
    if given == nil, access(path, F_OK) == 0 { return nil }
    let password: String
    if let given {
      guard let text = try? String(contentsOfFile: given, encoding: .utf8), let line = text.split(separator: "\n").first
      else { throw SettingsError("\(given) cannot be read, or is empty.") }
      password = String(line)
    } else {
      password = Self.random()
    }
    do { try PrivateFile.write(Data((password + "\n").utf8), to: path) } catch {
      throw SettingsError("\(path) cannot be written: run this as root. (\(Self.reason(error)))")
    }
    return given == nil ? password : nil
  }

  /// 32 of 57 characters, none of which looks like another: 186 bits.
  private static func random() -> String {
    let characters = Array("ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz23456789")
    return String((0..<32).compactMap { _ in characters.randomElement() })
  }

  /// Makes the agent's folders and its certificate where there are none.
  /// - Throws: `SettingsError`.
  static func ensureState(_ settings: AgentSettings) throws -> AgentCertificate {
    do {
      try FileManager.default.createDirectory(atPath: settings.state, withIntermediateDirectories: true)
      try Folder.ensure(settings.state, mode: 0o711)
      _ = try AgentFolders(state: settings.state, run: settings.run)
      try Folder.ensure("\(settings.state)/cache", mode: 0o755)
    } catch let error as SettingsError { throw error } catch {
      throw SettingsError("\(settings.state) cannot be made: run this as root. (\(reason(error)))")
    }
    return try AgentCertificate.load(folder: settings.state, hostname: ProcessInfo.processInfo.hostName)
  }

  /// The command by which an administrator adds the host.
  /// - Parameter address: Under which others reach it; nil to guess.
  static func command(_ settings: AgentSettings, fingerprint: String, address: String?) -> String {
    let listens = settings.listen.host
    let isAnywhere = ["0.0.0.0", "::"].contains(listens)
    let name = address ?? (isAnywhere ? Machine.ownAddress ?? ProcessInfo.processInfo.hostName : listens)
    let host = IPAddress(name)?.bytes.count == 16 ? "[\(name)]" : name
    let hasPort = address.map { $0.hasSuffix(":\(settings.listen.port)") } ?? false
    return "iaas host add \(hasPort ? name : "\(host):\(settings.listen.port)") \(settings.enrolmentUser) "
      + "--fingerprint \(fingerprint) --password-file \(settings.passwordFile)"
  }
}
