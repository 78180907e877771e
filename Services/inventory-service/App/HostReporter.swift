import Clients
import Foundation
import Logging
import Models
import ServiceKit
import ServiceLifecycle

/// Asks every host for its report every few seconds; any number of replicas share the hosts by the rows' turns.
struct HostReporter: Service {
  let hosts: Hosts
  let logger: Logger

  private static let parallel = 16

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
    let report: HostReport
    do {
      report = try await hosts.agent(of: link).report(CallOrigin(requestID: UUIDText.make().description))
    } catch {
      logger.notice("no report", metadata: ["host": "\(link.id)", "error": "\(String(reflecting: error))"])
      try await hosts.store.noteSilence(of: link.id)
      return true
    }
    try await hosts.store.store(report, from: link.id, askedAt: askedAt)
    return true
  }
}
