import Foundation
import Libvirt
import Models

/// One run of a guest, from a start of its VM to the end: how far it has come, and when it is to be looked at again.
struct GuestRun: Sendable {
  let began: Date
  /// When the lease ended that the guest had before this run.
  private let earlierExpiry: Date?
  private(set) var steps: [ReadinessStage: ReadinessStep] = [:]
  var hasKeys = false
  /// How much of the console was searched for keys.
  var searched: Int64 = 0
  private(set) var nextLook: Date
  private(set) var nextQuestion: Date

  /// How long one waits for what may never come: a guest need not have cloud-init.
  private static let patience: TimeInterval = 30 * 60

  init(began: Date, earlierExpiry: Date?) {
    self.began = began
    self.earlierExpiry = earlierExpiry
    nextLook = began
    nextQuestion = began
  }

  func lacks(_ stage: ReadinessStage) -> Bool { steps[stage] == nil }

  /// A step counts from when it was first true.
  mutating func reach(_ stage: ReadinessStage, _ evidence: String, at now: Date) {
    if lacks(stage) { steps[stage] = ReadinessStep(stage: stage, at: now, evidence: evidence) }
  }

  /// A lease counts that the guest asked for in this run.
  mutating func note(_ leases: [DHCPLease], at now: Date) {
    let fresh = leases.first { lease in
      earlierExpiry.map { earlier in lease.expiry.map { $0 > earlier } ?? false } ?? true
    }
    if let fresh { reach(.network, "Lease \(GuestText.cleaned(fresh.address, limit: 45)).", at: now) }
  }

  private func isLate(_ now: Date) -> Bool { now.timeIntervalSince(began) > Self.patience }

  /// Whether the host itself has something to find out: by the console, or by the network.
  func wantsLook(at now: Date) -> Bool {
    now >= nextLook && ([.booted, .network, .ssh].contains(where: lacks) || (!hasKeys && !isLate(now)))
  }

  /// Whether the guest's agent has something to tell.
  func wantsQuestion(at now: Date) -> Bool {
    now >= nextQuestion && !isLate(now) && (lacks(.booted) || lacks(.cloudInit) || !hasKeys)
  }

  /// Whether nothing is expected any more that would have to be noticed within a second.
  func isSettled(at now: Date) -> Bool {
    isLate(now) || (hasKeys && ![.booted, .network, .ssh, .cloudInit].contains(where: lacks))
  }

  /// Looked at about once a second at first, and less often where nothing comes of it.
  mutating func looked(at now: Date) {
    let age = now.timeIntervalSince(began)
    nextLook = now + (age < 300 ? 0.9 : age < Self.patience ? 5 : 60)
  }

  /// - Parameter took: Seconds; who takes long to say nothing is asked less often.
  mutating func asked(at now: Date, answered: Bool, took: TimeInterval) {
    nextQuestion = now + (answered ? (lacks(.booted) ? 1 : 5) : min(60, max(2, took * 10)))
  }
}
