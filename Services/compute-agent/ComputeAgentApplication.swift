import Clients
import Foundation
import Libvirt
import Logging
import Models
import ServiceKit
import ServiceLifecycle

/// Whether guests run on the CPU's extensions: found out by trial, or said by the operator.
enum VirtualisationChoice: String, CaseIterable, Sendable { case auto, kvm, emulated }

/// The composition root of compute-agent.
public enum ComputeAgentApplication {
  /// Makes what lives as long as the process.
  public static func build(_ settings: Settings, _ logger: Logger) async throws -> [any Service] {
    let listen = try ListenSettings(settings, defaultPort: 7443)
    let state = try settings.required("agent.state")
    let folders = try AgentFolders(state: state, run: settings.optional("agent.run") ?? "\(state)/run")
    let enrolments = try Enrolments(
      folder: state, user: settings.optional("enrolment.user") ?? "agent",
      password: try settings.contents("enrolment.password.file"))
    let virtualisation = try await self.virtualisation(settings)
    let certificate = try AgentCertificate.load(folder: state, hostname: ProcessInfo.processInfo.hostName)
    logger.info(
      "starting",
      metadata: ["virtualisation": "\(virtualisation.rawValue)", "fingerprint": "\(certificate.fingerprint)"])

    let client = InternalHTTP.makeClient { $0.timeout.read = .seconds(30) }
    let parts = try AgentParts(
      settings, state: state, folders: folders, virtualisation: virtualisation, client: client, logger: logger)
    let routes = AgentRoutes(
      lifecycle: parts.lifecycle, reports: parts.reports, views: parts.views, captures: parts.captures,
      offers: try parts.offers(fingerprint: certificate.fingerprint, key: KeyFile.load(path: "\(state)/offer.key")),
      arrivals: Arrivals(downloads: parts.arrivals, lifecycle: parts.lifecycle), enrolments: enrolments,
      fences: parts.fences, facts: parts.facts,
      gauges: parts.gauges(
        token: try KeyFile.load(path: settings.optional("metrics.token") ?? "\(state)/metrics.token")),
      consoles: Consoles(folders: folders, logger: logger)
    ).routes
    return [
      ClientLifetime { try await client.shutdown() },
      CaptureCare(captures: parts.captures, arrivals: parts.arrivals), parts.prober,
      try HTTPServer.make(routes, listen: listen, name: "compute-agent", tls: certificate.tls, logger: logger),
    ]
  }

  /// `kvm` or `emulated`, by trial on this machine.
  public static func probe() async -> Virtualisation { await VirtualisationProbe.run() }

  private static func virtualisation(_ settings: Settings) async throws -> Virtualisation {
    switch try settings.choice("virtualisation", default: VirtualisationChoice.auto) {
    case .auto: await VirtualisationProbe.run()
    case .kvm: .kvm
    case .emulated: .emulated
    }
  }
}
