import AsyncHTTPClient
import Clients
import Foundation
import Models
import Persistence

/// Making, changing and removing VMs: what is asked for is written down here and carried out by the control loop.
struct VMs: Sendable {
  let store: VMStore
  let snapshots: SnapshotStore
  let samples: SampleStore
  let hosts: Hosts
  let signal: OperationSignal
  let defaults: VMDefaults

  func list(_ caller: Caller) -> Listing<VM> { store.listing(caller) }

  /// - Throws: `not_found`.
  func get(_ id: VMID, _ caller: Caller) async throws -> VM {
    guard let vm = try await store.get(id, caller) else { throw ServiceError.notFound(.vm) }
    return vm
  }

  /// The VM, as soon as its guest has come so far, or as it is when the time is over or it does not run any more.
  /// - Parameter wait: Seconds to wait at most, 0 to 60.
  func get(_ id: VMID, readyFor stage: ReadinessStage, wait: Int, _ caller: Caller) async throws -> VM {
    let end = ContinuousClock.now + .seconds(min(max(wait, 0), 60))
    while true {
      let vm = try await get(id, caller)
      let left = end - ContinuousClock.now
      let isReady = vm.readiness.map { $0.stage >= stage } ?? false
      let mayCome: [VMState] = [.creating, .starting, .running, .unknown]
      if isReady || left <= .zero || Task.isCancelled || !mayCome.contains(vm.state) { return vm }
      // Reports are not announced: a look now and then finds what they brought.
      await signal.wait(atMost: min(left, .milliseconds(500)), .watchers)
    }
  }

  func add(_ request: NewVM, _ origin: RequestOrigin) async throws -> Accepted<VM> {
    try await store.insert(request, defaults, origin)
  }

  /// What would come of such a VM; nothing is made.
  func explain(_ request: NewVM, _ origin: RequestOrigin) async throws -> PlacementAnswer {
    try await store.explain(request, defaults, origin)
  }

  func update(_ id: VMID, _ update: VMUpdate, _ origin: RequestOrigin) async throws -> Accepted<VM> {
    switch update.change {
    case .power(let power): try await store.ask(power.request, of: id, .use, origin)
    case .resize(let size): try await store.resize(id, to: size, origin)
    case .rename(let name): try await store.rename(id, to: name, origin)
    case .rebuild(let image): try await store.rebuild(id, from: image, origin)
    case .move(let host): try await store.move(id, to: host, origin)
    case .cap(let caps): try await store.cap(id, caps, origin)
    }
  }

  func snapshot(_ id: VMID, _ request: NewSnapshot, _ origin: RequestOrigin) async throws -> Accepted<Image> {
    try await snapshots.insert(request, of: id, origin)
  }

  /// What the guest writes to its serial console from now on.
  /// - Throws: `not_found`, `forbidden`, `invalid_state` when it is off, `unavailable`.
  func openConsole(_ id: VMID, _ origin: RequestOrigin) async throws -> HTTPClientResponse {
    let (agent, call) = try await consoleAgent(of: id, origin)
    return try await agent.openConsole(id, call)
  }

  /// Types at the guest's serial console.
  /// - Throws: as ``openConsole(_:_:)``.
  func type(_ input: ConsoleInput, to id: VMID, _ origin: RequestOrigin) async throws {
    let (agent, call) = try await consoleAgent(of: id, origin)
    try await agent.type(input, to: id, call)
  }

  private func consoleAgent(of id: VMID, _ origin: RequestOrigin) async throws -> (AgentClient, CallOrigin) {
    let host = try await store.host(of: id, .use, origin.caller)
    let (agent, generation) = try await hosts.agent(of: host)
    let fence = Fence(host: generation, generation: 0, epoch: 0)
    return (agent, CallOrigin(requestID: origin.requestID).fenced(fence))
  }

  /// The end of what the guest wrote to its serial console.
  /// - Parameter bytes: How much of it, at most; up to 1 MiB.
  /// - Throws: `not_found`, `forbidden`, `unavailable`.
  func console(_ id: VMID, bytes: Int, _ origin: RequestOrigin) async throws -> Data {
    let (agent, call) = try await consoleAgent(of: id, origin)
    return try await agent.console(id, bytes: min(max(bytes, 1), 1 << 20), call)
  }

  /// What the guest did.
  /// - Parameters:
  ///   - since: A time (RFC 3339), or seconds ago; an hour ago where nil.
  ///   - step: Seconds; as fine as is kept for so long where nil.
  /// - Throws: `not_found`, `invalid_field`.
  func metrics(_ id: VMID, since: String?, step: String?, _ caller: Caller) async throws -> VMMetrics {
    _ = try await get(id, caller)
    let now = Date.now
    guard let start = Self.moment(since ?? "3600", before: now) else {
      throw ServiceError.invalid(
        "since", "must be a time of the last 31 days such as 2026-11-21T08:00:00Z, or a number of seconds.")
    }
    let seconds = now.timeIntervalSince(start)
    let step = step.map { Int($0) } ?? VMMetrics.step(forLast: seconds)
    guard let step, (10...86_400).contains(step), step % 10 == 0 else {
      throw ServiceError.invalid("step", "must be 10 to 86400 seconds, and a multiple of 10.")
    }
    return VMMetrics(
      vm: id, step: step, since: start, samples: try await samples.samples(of: id, since: start, step: step))
  }

  private static func moment(_ text: String, before now: Date) -> Date? {
    let start = Int(text).map { now.addingTimeInterval(-Double($0)) } ?? Date(rfc3339: text)
    return start.flatMap { (0...31 * 86_400 + 1).contains(now.timeIntervalSince($0)) ? $0 : nil }
  }

  func remove(_ id: VMID, _ origin: RequestOrigin) async throws -> Accepted<VM> {
    try await store.delete(id, origin)
  }
}

extension PowerRequest {
  fileprivate var request: VMRequest {
    switch self {
    case .start, .running: .start
    case .stop, .stopped: .stop
    case .reboot: .reboot
    case .reset: .reset
    case .pause: .pause
    case .resume: .resume
    }
  }
}
