import Clients
import Foundation
import Logging
import Models
import ServiceKit
import ServiceLifecycle
import Synchronization

/// Asks every host for its report every few seconds; any number of replicas share the hosts by the rows' turns.
struct HostReporter: Service {
  let hosts: Hosts
  let reports: ReportStore
  let meters: MeterStore
  let logger: Logger
  private let correcting = BusyHosts()

  private static let parallel = 16

  init(hosts: Hosts, reports: ReportStore, meters: MeterStore, logger: Logger) {
    self.hosts = hosts
    self.reports = reports
    self.meters = meters
    self.logger = logger
  }

  func run() async throws {
    await cancelWhenGracefulShutdown {
      await withTaskGroup(of: Void.self) { group in
        for _ in 0..<Self.parallel { group.addTask { await work() } }
      }
    }
  }

  private func work() async {
    while !Task.isCancelled {
      var found = false
      do { found = try await askNext() } catch {
        logger.warning("reports not stored", metadata: ["error": "\(String(reflecting: error))"])
      }
      if !found { try? await Task.sleep(for: .milliseconds(Int.random(in: 800...1600))) }
    }
  }

  private func askNext() async throws -> Bool {
    guard let (link, askedAt) = try await hosts.store.claimReport() else { return false }
    let origin = CallOrigin(requestID: UUIDText.make().description)
    let report: HostReport
    let agent: AgentClient
    do {
      agent = try hosts.agent(of: link)
      report = try await agent.report(origin.fenced(Fence(host: link.generation, generation: 0, epoch: 0)))
    } catch {
      logger.notice("no report", metadata: ["host": "\(link.id)", "error": "\(String(reflecting: error))"])
      try await reports.noteSilence(of: link.id)
      return true
    }
    let corrections = try await reports.store(report, from: link.id, askedAt: askedAt)
    if let metering = report.metering {
      // What is not counted now is in the next reading.
      do { try await meters.store(metering, from: link.id, askedAt: askedAt) } catch {
        logger.warning("not metered", metadata: ["host": "\(link.id)", "error": "\(String(reflecting: error))"])
      }
    }
    // A slow agent is corrected by one at a time; the others go on with other hosts.
    guard !corrections.isEmpty, correcting.begin(link.id) else { return true }
    defer { correcting.end(link.id) }
    for correction in corrections { await carryOut(correction, agent, link, origin) }
    return true
  }

  /// What cannot be done now is found again in the next report.
  private func carryOut(_ correction: Correction, _ agent: AgentClient, _ link: HostLink, _ origin: CallOrigin) async {
    var logger = logger
    logger[metadataKey: "host"] = "\(link.id)"
    logger[metadataKey: "vm"] = "\(correction.vm)"
    func fence(_ generation: Int64, _ epoch: Int64) -> CallOrigin {
      origin.fenced(Fence(host: link.generation, generation: generation, epoch: epoch))
    }
    do {
      switch correction.kind {
      case .quarantine(let generation):
        try await agent.quarantine(correction.vm, generation: generation, fence(generation, 0))
        logger.notice("a VM that nobody knows is put aside, if it is still there")
      case .bury(let generation):
        try await agent.delete(correction.vm, fence(generation, .max))
        logger.info("what was left of a VM was removed")
      case .discard(let image): try await agent.removeCapture(of: correction.vm, for: image, fence(0, 0))
      }
    } catch { logger.notice("not corrected", metadata: ["error": "\(String(reflecting: error))"]) }
  }
}

/// The hosts that are just being told something.
private final class BusyHosts: Sendable {
  private let hosts = Mutex<Set<HostID>>([])

  /// - Returns: Whether nobody else does.
  func begin(_ host: HostID) -> Bool { hosts.withLock { $0.insert(host).inserted } }
  func end(_ host: HostID) { hosts.withLock { _ = $0.remove(host) } }
}
