import Foundation
import Libvirt
import Logging
import Models
import ServiceKit

/// Asks guests' agents what only the inside knows. What they say is a claim of the guest; one after another is asked, over
/// a connection of their own, so that a guest that keeps silent holds up nothing else.
struct GuestQuestions: Sendable {
  let libvirt: LibvirtConnection
  let book: ReadinessBook
  let folders: VMFolders
  let logger: Logger

  /// Seconds for each answer.
  private static let patience: Int32 = 2
  private static let resultFile = "/run/cloud-init/result.json"
  private static let resultLimit = 64 << 10
  private static let keyFiles = ["ed25519", "ecdsa", "rsa"].map { "/etc/ssh/ssh_host_\($0)_key.pub" }

  /// Asks one guest everything that it has not told yet.
  func ask(_ subject: ReadinessBook.Subject) async {
    let start = Date.now
    var answers = false
    var result: String?
    var keys: [String] = []
    do {
      answers = try await libvirt.guestAgentAnswers(of: subject.id.uuid, timeoutSeconds: Self.patience)
      if answers, subject.run.lacks(.cloudInit) { result = try await cloudInitResult(subject.id) }
      // Before SSH answers, or cloud-init has ended, the keys may still be the image's.
      if answers, !subject.run.hasKeys, result != nil || !subject.run.lacks(.ssh) {
        keys = try await hostKeys(of: subject.id)
      }
      if !keys.isEmpty { try await folders.remember(KnownHostKeys(disk: subject.disk, keys: keys), of: subject.id) }
    } catch {
      logger.debug("guest not asked", metadata: ["vm": "\(subject.id)", "error": "\(String(reflecting: error))"])
    }
    let (answered, found, evidence, now) = (answers, !keys.isEmpty, result, Date.now)
    await book.update(subject) { run in
      if answered { run.reach(.booted, "The guest's agent answers.", at: now) }
      if let evidence { run.reach(.cloudInit, evidence, at: now) }
      if found { run.hasKeys = true }
      run.asked(at: now, answered: answered, took: now.timeIntervalSince(start))
    }
  }

  /// A sentence on how cloud-init ended; nil as long as it has not.
  private func cloudInitResult(_ id: VMID) async throws -> String? {
    try await file(Self.resultFile, of: id).flatMap(Self.evidence)
  }

  /// See "result.json" in cloud-init's manual.
  static func evidence(inResult data: Data) -> String? {
    guard let object = try? JSONSerialization.jsonObject(with: data) as? [String: Any],
      let result = object["v1"] as? [String: Any]
    else { return nil }
    let errors = (result["errors"] as? [Any])?.count ?? 0
    return errors == 0 ? "cloud-init has ended." : "cloud-init has ended with \(errors) errors."
  }

  private func hostKeys(of id: VMID) async throws -> [String] {
    var keys: [String] = []
    for path in Self.keyFiles { keys += try await file(path, of: id).map(HostKeys.keys(inLines:))?.prefix(1) ?? [] }
    return keys
  }

  /// Nil also where the agent cannot or will not read files.
  private func file(_ path: String, of id: VMID) async throws -> Data? {
    do {
      return try await libvirt.guestFile(
        path, of: id.uuid, limit: Self.resultLimit, timeoutSeconds: Self.patience)
    } catch {
      let refusals: [LibvirtError.Code] = [.overflow, .operationUnsupported, .agentCommandFailed]
      guard refusals.contains(error.code) else { throw error }
      return nil
    }
  }
}
