import ArgumentParser
import Foundation
import Models

struct Doctor: Verb {
  static let configuration = CommandConfiguration(
    abstract: "Check the server, the login, and this machine.",
    discussion: """
      Each line is a check; what is wrong says what to do. This machine is looked at when it is a hypervisor host.

      Example: iaas doctor
      """)

  @OptionGroup var common: CommonOptions

  func run(in context: CommandContext) async throws {
    let checks = await Checks(context: context).all()
    try output(context).list(made: checks)
    let bad = checks.filter { $0.result == .bad }.count
    guard bad == 0 else { throw CommandFailure(.failed, bad == 1 ? "One check failed." : "\(bad) checks failed.") }
  }
}

/// What was looked at, and what was found.
struct Check: Presentable, Encodable {
  enum Result: String, Encodable { case good, bad, skipped }

  static let columns: [Column<Self>] = [
    Column("check") { $0.name }, Column("result") { $0.result.rawValue }, Column("found") { $0.found },
  ]

  let name: String
  let result: Result
  let found: String

  var shortName: String { "\(name) \(result.rawValue)" }
}

/// The checks of `iaas doctor`, each of which says what to do when it fails.
private struct Checks {
  let context: CommandContext

  func all() async -> [Check] {
    var checks = [Check(name: "program", result: .good, found: "iaas \(Version.current)"), configuration()]
    let (server, answer) = await self.server()
    checks.append(server)
    if let answer { checks += [clock(answer), await version(), await readiness(), await login()] }
    return checks + machine()
  }

  private func check(_ name: String, _ body: () async throws -> String) async -> Check {
    do { return Check(name: name, result: .good, found: try await body()) } catch let failure as CommandFailure {
      return Check(name: name, result: .bad, found: failure.lines.joined(separator: " "))
    } catch { return Check(name: name, result: .bad, found: "\(error)") }
  }

  private func configuration() -> Check {
    let source = context.settings.tokenIsGiven ? "IAAS_TOKEN" : context.settings.file.path
    return Check(name: "configuration", result: .good, found: "\(context.settings.server), token of \(source)")
  }

  private func server() async -> (Check, APIAnswer?) {
    let start = ContinuousClock.now
    do {
      let answer = try await context.client.sendUnauthenticated(.get("/iaas/health"))
      let time = Int((ContinuousClock.now - start) / .milliseconds(1))
      return (Check(name: "server", result: .good, found: "answers after \(time) ms"), answer)
    } catch {
      let lines = (error as? CommandFailure)?.lines ?? ["\(error)"]
      return (Check(name: "server", result: .bad, found: lines.joined(separator: " ")), nil)
    }
  }

  /// Second factors and the ends of shares go by the clock.
  private func clock(_ answer: APIAnswer) -> Check {
    guard let text = answer.headers["date"], let date = Self.httpDate(text) else {
      return Check(name: "clock", result: .skipped, found: "the server does not say what time it is")
    }
    let seconds = Int(Date.now.timeIntervalSince(date).rounded())
    guard abs(seconds) > 30 else { return Check(name: "clock", result: .good, found: "the server's, within 30 s") }
    let side = seconds > 0 ? "ahead of" : "behind"
    return Check(
      name: "clock", result: .bad,
      found: "\(abs(seconds)) s \(side) the server's: set one of them right, such as by systemd-timesyncd")
  }

  /// RFC 9110, 5.6.7.
  private static func httpDate(_ text: String) -> Date? {
    let formatter = DateFormatter()
    formatter.locale = Locale(identifier: "en_US_POSIX")
    formatter.timeZone = .gmt
    formatter.dateFormat = "EEE, dd MMM yyyy HH:mm:ss zzz"
    return formatter.date(from: text)
  }

  private struct Document: Decodable, Sendable {
    struct Info: Decodable, Sendable { let version: String }
    let info: Info
  }

  private func version() async -> Check {
    await check("versions") {
      let answer = try await context.client.sendUnauthenticated(.get("/iaas/openapi.json"))
      let document: Fetched<Document> = try context.client.decode(answer)
      let version = document.value.info.version
      guard version.split(separator: ".").first == Version.current.split(separator: ".").first else {
        throw CommandFailure(
          .failed, "The server speaks version \(version) and this is \(Version.current): install the server's.")
      }
      return "the server speaks \(version), this is \(Version.current)"
    }
  }

  private func readiness() async -> Check {
    await check("services") {
      _ = try await context.client.sendUnauthenticated(.get("/iaas/ready"))
      return "all answer"
    }
  }

  private func login() async -> Check {
    await check("login") {
      guard context.settings.token != nil else {
        throw CommandFailure(.refused, "Not logged in. Run: iaas login EMAIL")
      }
      let me = try await context.client.get(UserView.self, "/iaas/me").value
      return me.label + (me.admin == true ? ", an administrator" : "")
    }
  }

  // MARK: This machine

  private func machine() -> [Check] {
    let manager = FileManager.default
    let agent = ["/usr/bin/compute-agent", "/etc/iaas/compute-agent.conf"].contains { manager.fileExists(atPath: $0) }
    let socket = "/run/libvirt/libvirt-sock"
    guard agent || manager.fileExists(atPath: socket) else {
      return [Check(name: "this machine", result: .skipped, found: "no hypervisor host: there is no libvirt here")]
    }
    return [
      manager.fileExists(atPath: socket)
        ? Check(name: "libvirt", result: .good, found: socket)
        : Check(name: "libvirt", result: .bad, found: "not running. Run: systemctl start libvirtd"),
      access("/dev/kvm", R_OK | W_OK) == 0
        ? Check(name: "kvm", result: .good, found: "/dev/kvm may be used")
        : Check(
          name: "kvm", result: .bad,
          found: manager.fileExists(atPath: "/dev/kvm")
            ? "/dev/kvm may not be used by you; guests need the group kvm"
            : "there is no /dev/kvm: guests are emulated, and slow. Enable virtualisation in the firmware"),
    ]
  }
}
