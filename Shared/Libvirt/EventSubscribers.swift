import CLibvirt
import Foundation
import Synchronization

/// The open event streams of one connection, fed and ended from libvirt's event thread.
final class EventSubscribers: Sendable {
  typealias Continuation = AsyncStream<DomainLifecycleEvent>.Continuation
  typealias Token = UUID

  /// What taking a stream out found.
  enum Removal { case absent, last, others }

  private struct State {
    var continuations: [Token: Continuation] = [:]
    var isFinished = false
  }

  private let state = Mutex(State())

  /// Adds a stream; one that comes after the loss ends at once.
  func add(_ continuation: Continuation) -> Token {
    let token = Token()
    let isFinished = state.withLock { state in
      if !state.isFinished { state.continuations[token] = continuation }
      return state.isFinished
    }
    if isFinished { continuation.finish() }
    return token
  }

  func remove(_ token: Token) -> Removal {
    state.withLock { state in
      guard state.continuations.removeValue(forKey: token) != nil else { return .absent }
      return state.continuations.isEmpty ? .last : .others
    }
  }

  /// Hands an event to every stream. One whose reader lags too far would lose it: it ends, so that its reader looks for
  /// itself what it missed.
  func deliver(_ event: DomainLifecycleEvent) {
    let continuations = state.withLock { Array($0.continuations.values) }
    for continuation in continuations {
      if case .dropped = continuation.yield(event) { continuation.finish() }
    }
  }

  /// Ends every stream, outside the lock since ending one calls its termination handler.
  func finish() {
    let ended = state.withLock { state in
      state.isFinished = true
      defer { state.continuations = [:] }
      return Array(state.continuations.values)
    }
    for continuation in ended { continuation.finish() }
  }
}

// Functions of the file and not closures: libvirt calls them on its event thread, where a closure that inherited an
// actor's isolation would stop the process. Their context is the `EventSubscribers` that `ConnectionHandle` handed over.

/// See https://libvirt.org/html/libvirt-libvirt-domain.html#virConnectDomainEventCallback.
func domainLifecycleChanged(
  _: OpaquePointer?, domain: OpaquePointer?, kind: Int32, detail: Int32, context: UnsafeMutableRawPointer?
) -> Int32 {
  guard let domain, let context, let uuid = try? readUUID({ virDomainGetUUID(domain, $0) }) else { return 0 }
  // Safe: libvirt keeps the context until it calls `releaseSubscribers`, never during a callback.
  let subscribers = Unmanaged<EventSubscribers>.fromOpaque(context).takeUnretainedValue()
  subscribers.deliver(DomainLifecycleEvent(uuid: uuid, kind: .init(rawValue: kind), detail: detail))
  return 0
}

/// See https://libvirt.org/html/libvirt-libvirt-host.html#virConnectCloseFunc.
func connectionLost(_: OpaquePointer?, _: Int32, context: UnsafeMutableRawPointer?) {
  guard let context else { return }
  // Safe: as above.
  Unmanaged<EventSubscribers>.fromOpaque(context).takeUnretainedValue().finish()
}

/// Takes back the one reference that a registration handed to libvirt; called once for each.
func releaseSubscribers(_ context: UnsafeMutableRawPointer?) {
  if let context { Unmanaged<EventSubscribers>.fromOpaque(context).release() }
}
