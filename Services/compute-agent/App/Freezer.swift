import Foundation
import Libvirt
import Logging
import Models
import ServiceKit

/// Has a guest hold still for a moment. That it may be doing so is noted on the disk before, so that no guest is left like
/// that, whatever becomes of this process.
struct Freezer: Sendable {
  let libvirt: LibvirtConnection
  let folders: AgentFolders
  let views: VMFolders
  let logger: Logger

  /// Seconds for the guest to write out what it has, and to go on.
  private static let freezePatience: Int32 = 30
  private static let thawPatience: Int32 = 10

  /// Whether the guest can be asked.
  func answers(_ id: VMID) async -> Bool {
    (try? await libvirt.guestAgentAnswers(of: id.uuid, timeoutSeconds: 2)) ?? false
  }

  /// - Returns: Nil when the guest does not hold still, in which case the body did not run.
  func whileFrozen<Value: Sendable>(_ id: VMID, _ body: () async throws -> Value) async throws -> Value? {
    let marker = folders.paths(id).frozen
    try PrivateFile.write(Data(), to: marker)
    try await Files.shared.flush(marker)
    let result: Result<Value?, any Error>
    do {
      _ = try await libvirt.freezeFileSystems(of: id.uuid, timeoutSeconds: Self.freezePatience)
      try await Failpoint.hit("agent.frozen")
      result = Result.success(try await body())
    } catch let error as LibvirtError where Self.refusals.contains(error.code) {
      logger.notice("guest not frozen", metadata: ["vm": "\(id)", "error": "\(String(reflecting: error))"])
      result = .success(nil)
    } catch { result = .failure(error) }
    await thaw(id)
    return try result.get()
  }

  /// By which a guest, or what speaks for it, says no.
  private static let refusals: Set<LibvirtError.Code> = [
    .agentUnresponsive, .agentUnsynced, .agentCommandTimeout, .agentCommandFailed, .argumentUnsupported,
    .operationUnsupported,
  ]

  /// Lets the guest go on; where that fails, ``thawAll()`` tries again.
  private func thaw(_ id: VMID) async {
    let marker = folders.paths(id).frozen
    do {
      _ = try await libvirt.thawFileSystems(of: id.uuid, timeoutSeconds: Self.thawPatience)
      try await Files.shared.remove(marker)
    } catch let error as LibvirtError where [.operationInvalid, .noDomain].contains(error.code) {
      // A guest that is off holds nothing back.
      unlink(marker)
    } catch {
      logger.warning("guest not thawed", metadata: ["vm": "\(id)", "error": "\(String(reflecting: error))"])
    }
  }

  /// Lets every guest go on that holds still, or may.
  /// - Parameter busy: Those that are being copied just now.
  func thawAll(but busy: Set<VMID>) async {
    for id in await views.frozen() where !busy.contains(id) { await thaw(id) }
  }
}
