import Clients
import Foundation
import ServiceKit

/// The agent itself: its clock, its port, whose it is, and whether it runs.
struct ServiceChecks: Sendable {
  let settings: AgentSettings

  /// Whether something keeps the clock right: certificates and signed URLs go by it.
  func clock() async -> HostCheck {
    let outcome = try? await Tool.run("timedatectl", ["show", "--property=NTPSynchronized", "--value"])
    return Self.clock(timedatectl: outcome.flatMap { $0.succeeded ? $0.output : nil })
  }

  /// - Parameter said: What timedatectl said; nil where it did not answer.
  static func clock(timedatectl said: String?) -> HostCheck {
    switch said?.trimmingCharacters(in: .whitespacesAndNewlines) {
    case "yes": .good("clock", "kept right")
    case "no": .warning("clock", "nothing keeps it right. Install systemd-timesyncd or chrony")
    default: .skipped("clock", "timedatectl does not answer; see to it that the clock is right")
    }
  }

  /// Whether the port can be listened at, or this agent does so already.
  func port() async -> HostCheck {
    let (host, port) = (settings.listen.host, settings.listen.port)
    let name = "\(host.contains(":") ? "[\(host)]" : host):\(port)"
    guard let failure = ListeningTrial.run(host: host, port: port) else { return listening(at: "\(name) is free") }
    guard failure == EADDRINUSE else {
      return .bad(
        "port", "cannot listen at \(name): \(String(cString: strerror(failure))). Choose another by IAAS_HTTP_HOST")
    }
    let reachable = ["0.0.0.0": "127.0.0.1", "::": "[::1]"][host] ?? (host.contains(":") ? "[\(host)]" : host)
    let seen = try? await PinnedCertificate.fetch(from: AgentAddress("\(reachable):\(port)")).fingerprint
    let own = try? AgentCertificate.existing(folder: settings.state)?.fingerprint
    guard let seen, seen == own else {
      return .bad("port", "what listens at \(name) is not this agent. Choose another by IAAS_HTTP_PORT")
    }
    return listening(at: "the agent listens at \(name)")
  }

  private func listening(at text: String) -> HostCheck {
    settings.listen.host.hasPrefix("127.") || settings.listen.host == "::1"
      ? .warning("port", "\(text), which no other machine reaches: IAAS_HTTP_HOST=0.0.0.0")
      : .good("port", text)
  }

  var enrolment: HostCheck {
    do {
      guard let installation = try Enrolments.installation(folder: settings.state) else {
        return .good("enrolment", "waits for: iaas host add")
      }
      return .good("enrolment", "belongs to the installation \(installation)")
    } catch { return .bad("enrolment", "\(error)") }
  }

  static let unit = "compute-agent.service"

  func unit() async -> HostCheck {
    guard access("/run/systemd/system", F_OK) == 0 else {
      return .skipped("service", "no systemd runs here: start compute-agent in another way")
    }
    let active = (try? await Tool.run("systemctl", ["is-active", Self.unit]))?.succeeded == true
    let enabled = (try? await Tool.run("systemctl", ["is-enabled", Self.unit]))?.succeeded == true
    guard active else { return .warning("service", "not running. Run: systemctl enable --now compute-agent") }
    return enabled
      ? .good("service", "runs, and starts with the machine")
      : .warning("service", "will be off after a reboot. Run: systemctl enable compute-agent")
  }
}

/// Listens for a moment.
enum ListeningTrial {
  /// - Returns: Why it is not possible, as `errno` says it; nil where it is.
  static func run(host: String, port: Int) -> Int32? {
    var hints = addrinfo()
    hints.ai_socktype = Int32(SOCK_STREAM.rawValue)
    hints.ai_flags = AI_PASSIVE | AI_NUMERICSERV
    var found: UnsafeMutablePointer<addrinfo>?
    guard getaddrinfo(host, String(port), &hints, &found) == 0, let found else { return EADDRNOTAVAIL }
    defer { freeaddrinfo(found) }
    let descriptor = socket(found.pointee.ai_family, found.pointee.ai_socktype, 0)
    guard descriptor >= 0 else { return errno }
    defer { close(descriptor) }
    // As the server does: connections that are still closing do not count.
    var one: Int32 = 1
    setsockopt(descriptor, SOL_SOCKET, SO_REUSEADDR, &one, socklen_t(MemoryLayout<Int32>.size))
    guard bind(descriptor, found.pointee.ai_addr, found.pointee.ai_addrlen) == 0, listen(descriptor, 1) == 0 else {
      return errno
    }
    return nil
  }
}
