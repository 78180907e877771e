import Clients
import Foundation
import Libvirt
import Logging
import Models
import NIOSSL
import ServiceKit
import ServiceLifecycle

/// The composition root of compute-agent.
public enum ComputeAgentApplication {
  /// Makes what lives as long as the process.
  public static func build(_ settings: Settings, _ logger: Logger) async throws -> [any Service] {
    let own = try AgentSettings(settings)
    let state = own.state
    let folders = try AgentFolders(state: state, run: own.run)
    let enrolments = try Enrolments(
      folder: state, user: own.enrolmentUser, password: try settings.contents("enrolment.password.file"))
    let virtualisation = await self.virtualisation(own.virtualisation)
    let certificate = try AgentCertificate.load(folder: state, hostname: ProcessInfo.processInfo.hostName)
    logger.info(
      "starting",
      metadata: ["virtualisation": "\(virtualisation.rawValue)", "fingerprint": "\(certificate.fingerprint)"])

    let tls = try fetchingTLS(ca: settings.optional("ca"))
    let client = InternalHTTP.makeClient {
      $0.timeout.read = .seconds(30)
      $0.tlsConfiguration = tls
    }
    let parts = try AgentParts(
      settings, own, folders: folders, virtualisation: virtualisation, client: client, logger: logger)
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
      try HTTPServer.make(routes, listen: own.listen, name: "compute-agent", tls: certificate.tls, logger: logger),
    ]
  }

  /// How images are fetched over HTTPS: believing the system's authorities, and those in the file.
  /// - Parameter ca: A file of certificates in PEM, such as that of a proxy's own authority.
  /// - Throws: `SettingsError` when the file holds none.
  static func fetchingTLS(ca: String?) throws -> TLSConfiguration {
    var tls = TLSConfiguration.makeClientConfiguration()
    guard let ca else { return tls }
    guard let certificates = try? NIOSSLCertificate.fromPEMFile(ca), !certificates.isEmpty else {
      throw SettingsError("IAAS_CA names \(ca), which is not a file of certificates in PEM.")
    }
    tls.additionalTrustRoots = [.certificates(certificates)]
    return tls
  }

  /// `kvm` or `emulated`, by trial on this machine.
  public static func probe() async -> Virtualisation { await VirtualisationProbe.run() }

  private static func virtualisation(_ choice: VirtualisationChoice) async -> Virtualisation {
    switch choice {
    case .auto: await VirtualisationProbe.run()
    case .kvm: .kvm
    case .emulated: .emulated
    }
  }
}
