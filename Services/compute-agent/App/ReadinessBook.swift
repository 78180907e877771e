import Foundation
import Libvirt
import Models

/// How far the guests have come. It is kept in memory only: after a start of the agent, guests are simply looked at again.
actor ReadinessBook {
  private var runs: [VMID: GuestRun] = [:]
  private var defined: [VMID: Date] = [:]
  /// Those whose power was known before; of others nobody can say when they were started.
  private var followed: Set<VMID> = []
  /// The latest end of a lease that each VM had, while that is known from before its run.
  private var expiries: [VMID: Date] = [:]
  /// When we last began to start a VM, until libvirt says that it was started.
  private var announced: [VMID: Date] = [:]
  private var latest: [VMID: Subject] = [:]

  /// How long after that libvirt may say so.
  private static let announcementLife: TimeInterval = 60

  /// A guest that is on, as it is to be looked at.
  struct Subject: Sendable {
    let id: VMID
    let disk: Int64
    let addresses: [String]
    let run: GuestRun
  }

  /// What is to be done after the VMs were looked over.
  struct Survey: Sendable {
    var subjects: [Subject] = []
    /// Those that somebody else started: their consoles are to be marked.
    var unmarked: [VMID] = []
    /// Those that ended by themselves.
    var ended: [VMID] = []
  }

  /// The VM was made on this host, and is off.
  func define(_ id: VMID, at now: Date) {
    defined[id] = defined[id] ?? now
    followed.insert(id)
  }

  /// The VM is about to be started by us, and its console is marked.
  /// - Parameter leases: Those that it has from before.
  func announce(_ id: VMID, leases: [DHCPLease], at now: Date) {
    announced[id] = now
    runs[id] = nil
    followed.insert(id)
    note(leases, of: id)
  }

  private func note(_ leases: [DHCPLease], of id: VMID) {
    if let last = leases.compactMap(\.expiry).max() { expiries[id] = max(last, expiries[id] ?? last) }
  }

  /// libvirt says that the VM was started.
  /// - Returns: Whether it was somebody else who did it.
  func started(_ id: VMID, at now: Date) -> Bool {
    runs[id] = GuestRun(began: now, earlierExpiry: expiries[id])
    guard let time = announced.removeValue(forKey: id) else { return true }
    return now.timeIntervalSince(time) > Self.announcementLife
  }

  /// Compares what libvirt said with what is known.
  /// - Parameter now: When libvirt was asked; what was done to a VM since counts more.
  func survey(_ owned: [Hypervisor.Owned], leases: [String: [DHCPLease]], at now: Date) -> Survey {
    var survey = Survey()
    for vm in owned {
      let known = leases[vm.id.mac] ?? []
      switch vm.power {
      case .running, .paused: follow(vm, known, at: now, &survey)
      case .stopped, .crashed:
        if isStarted(vm.id, since: now) { continue }
        runs[vm.id] = nil
        if vm.domain.cause == .guest { survey.ended.append(vm.id) }
      }
      define(vm.id, at: now)
      note(known, of: vm.id)
    }
    forgetAll(but: Set(owned.map(\.id)).union(defined.filter { $0.value >= now }.keys))
    latest = Dictionary(uniqueKeysWithValues: survey.subjects.map { ($0.id, $0) })
    return survey
  }

  private func follow(
    _ vm: Hypervisor.Owned, _ leases: [DHCPLease], at now: Date, _ survey: inout Survey
  ) {
    let wasOff = runs[vm.id] == nil && followed.contains(vm.id)
    var run = runs[vm.id] ?? GuestRun(began: now, earlierExpiry: wasOff ? expiries[vm.id] : nil)
    if wasOff, announced[vm.id] == nil { survey.unmarked.append(vm.id) }
    run.note(leases, at: now)
    runs[vm.id] = run
    if vm.power == .running {
      survey.subjects.append(
        Subject(id: vm.id, disk: vm.identity.disk, addresses: leases.map(\.address), run: run))
    }
  }

  private func isStarted(_ id: VMID, since time: Date) -> Bool {
    [announced[id], runs[id]?.began].contains { $0.map { $0 >= time } ?? false }
  }

  private func forgetAll(but present: Set<VMID>) {
    runs = runs.filter { present.contains($0.key) }
    defined = defined.filter { present.contains($0.key) }
    followed.formIntersection(present)
    expiries = expiries.filter { present.contains($0.key) }
    announced = announced.filter { present.contains($0.key) }
  }

  /// Notes what was found out about a guest, unless it was started anew meanwhile.
  func update(_ subject: Subject, _ change: @Sendable (inout GuestRun) -> Void) {
    guard var run = runs[subject.id], run.began == subject.run.began else { return }
    change(&run)
    runs[subject.id] = run
  }

  /// The guests that were on at the last survey, as far as they have come since.
  var subjects: [Subject] {
    latest.values.compactMap { subject in
      runs[subject.id].map { Subject(id: subject.id, disk: subject.disk, addresses: subject.addresses, run: $0) }
    }
  }

  /// The steps of a VM, which are those of its present run.
  func steps(of id: VMID, at now: Date) -> [ReadinessStep] {
    let time = defined[id] ?? now
    defined[id] = time
    let exists = ReadinessStep(stage: .defined, at: time, evidence: "The domain exists.")
    return [exists] + (runs[id]?.steps.values.sorted { $0.stage < $1.stage } ?? [])
  }

  /// Whether there is a guest about which something is yet to be found out.
  func isRestless(at now: Date) -> Bool { runs.values.contains { !$0.isSettled(at: now) } }
}
