import Foundation
import Logging
import Models
import ServiceKit
import ServiceLifecycle

/// What a step of work came to.
enum WorkResult: Sendable {
  /// The operation has ended, and its effect is written.
  case ended
  /// To be looked at again.
  /// - Parameter isAsking: Whether the guest has been asked to end, and is given time.
  case again(afterSeconds: Double, step: String?, isAsking: Bool = false)
}

/// Carries operations out. It remembers nothing: whatever it was doing when it was killed is claimed again by it or by
/// another replica when the lease runs out, and every step may be done twice.
struct ControlLoop: Service {
  let store: OperationStore
  let vms: VMWork
  let images: ImageImport
  let hosts: HostRemoval
  let signal: OperationSignal
  let logger: Logger

  /// So many at a time in each lane. Most of the time VMs' work waits for an agent.
  private static let parallel: KeyValuePairs<WorkLane, Int> = [.images: 4, .others: 32]

  func run() async throws {
    await cancelWhenGracefulShutdown {
      await withTaskGroup(of: Void.self) { group in
        for (lane, count) in Self.parallel { group.addTask { await work(lane, atMost: count) } }
      }
    }
  }

  /// One asks for work and hands it out, so that an announcement is not answered by as many questions as there are workers.
  private func work(_ lane: WorkLane, atMost limit: Int) async {
    await withTaskGroup(of: Void.self) { group in
      var running = 0
      while !Task.isCancelled {
        if running == limit {
          await group.next()
          running -= 1
        }
        guard let claim = await nextClaim(lane) else { continue }
        running += 1
        group.addTask {
          await carryOut(claim)
          // It may be due again sooner than anything else.
          signal.wake(.workers)
        }
      }
    }
  }

  /// - Returns: Nil after a while in which there was nothing to do.
  private func nextClaim(_ lane: WorkLane) async -> Claim? {
    let mark = signal.mark(.workers)
    do {
      if let claim = try await store.claim(lane) { return claim }
      let next = try await store.secondsToNext(lane) ?? 5
      await signal.wait(atMost: .milliseconds(Int(min(max(next, 0.02), 5) * 1000)), .workers, since: mark)
    } catch {
      logger.warning("no work to be had", metadata: ["error": "\(String(reflecting: error))"])
      try? await Task.sleep(for: .seconds(1))
    }
    return nil
  }

  private func carryOut(_ claim: Claim) async {
    var logger = logger
    logger[metadataKey: "requestId"] = "\(claim.requestID)"
    logger[metadataKey: "operation"] = "\(claim.id)"
    do {
      switch try await result(of: claim) {
      case .ended: logger.info("ended", metadata: ["kind": "\(claim.kind.rawValue)"])
      case .again(let seconds, let step, let isAsking):
        try await store.postpone(claim, seconds: seconds, step: step, isAsking: isAsking)
      }
    } catch is ClaimLost {
      logger.notice("taken over or cancelled", metadata: ["kind": "\(claim.kind.rawValue)"])
    } catch {
      // What could not even be written is claimed again when the lease has run out.
      logger.error("left for the next claim", metadata: ["error": "\(String(reflecting: error))"])
    }
  }

  /// One step; an error that may pass is tried again until the deadline, any other ends the operation.
  private func result(of claim: Claim) async throws -> WorkResult {
    guard claim.secondsLeft > 0 else {
      let detail = claim.attempt > 1 ? " after \(claim.attempt - 1) attempts" : ""
      return try await fail(claim, with: ServiceError(.timeout, "This could not be done in time\(detail)."))
    }
    do { return try await step(claim) } catch let error as ClaimLost { throw error } catch {
      // What fails because this process is ending has not failed.
      guard !Task.isCancelled else { throw CancellationError() }
      let error = ServiceError.of(error)
      logger.notice("failed", metadata: ["operation": "\(claim.id)", "error": "\(error)"])
      guard error.code == .unavailable else { return try await fail(claim, with: error) }
      return .again(afterSeconds: min(Double(claim.attempt), 10), step: error.message)
    }
  }

  private func step(_ claim: Claim) async throws -> WorkResult {
    switch claim.kind {
    case .imageImport, .imageUpload, .imageSnapshot: try await images.carryOut(claim)
    case .hostDelete: try await hosts.carryOut(claim)
    default: try await vms.carryOut(claim)
    }
  }

  private func fail(_ claim: Claim, with error: ServiceError) async throws -> WorkResult {
    switch claim.kind {
    case .imageImport, .imageUpload, .imageSnapshot: try await images.fail(claim, with: error)
    case .hostDelete: try await hosts.store.failRemoval(claim, with: error)
    default: try await vms.store.fail(claim, with: error)
    }
    return .ended
  }
}
