import CLibvirt
import Foundation

/// A change in the life of a domain.
/// See https://libvirt.org/html/libvirt-libvirt-domain.html#virDomainEventType.
public struct DomainLifecycleEvent: Equatable, Sendable {
  /// The domain's UUID. By the time the event is read it may have changed again, or be gone.
  public let uuid: UUID
  /// What happened.
  public let kind: Kind
  /// Why, as a number whose meaning depends on the kind, such as a `virDomainEventStoppedDetailType`.
  public let detail: Int32

  /// An event as libvirt reports it, or as a test invents it.
  public init(uuid: UUID, kind: Kind, detail: Int32) {
    self.uuid = uuid
    self.kind = kind
    self.detail = detail
  }

  /// What happened to a domain; a number unknown here is carried in `other`.
  public enum Kind: Hashable, Sendable {
    case defined, undefined, started, suspended, resumed, stopped, shutdown, pmsuspended, crashed
    case other(Int32)

    init(rawValue: Int32) {
      self = Self.known[rawValue] ?? .other(rawValue)
    }

    private static let known: [Int32: Self] = [
      Int32(VIR_DOMAIN_EVENT_DEFINED.rawValue): .defined,
      Int32(VIR_DOMAIN_EVENT_UNDEFINED.rawValue): .undefined,
      Int32(VIR_DOMAIN_EVENT_STARTED.rawValue): .started,
      Int32(VIR_DOMAIN_EVENT_SUSPENDED.rawValue): .suspended,
      Int32(VIR_DOMAIN_EVENT_RESUMED.rawValue): .resumed,
      Int32(VIR_DOMAIN_EVENT_STOPPED.rawValue): .stopped,
      Int32(VIR_DOMAIN_EVENT_SHUTDOWN.rawValue): .shutdown,
      Int32(VIR_DOMAIN_EVENT_PMSUSPENDED.rawValue): .pmsuspended,
      Int32(VIR_DOMAIN_EVENT_CRASHED.rawValue): .crashed,
    ]
  }
}

extension LibvirtConnection {
  /// The life cycle events of every domain, from now on.
  ///
  /// The stream ends when the connection is lost or closed, or when its reader lags by more than 4,096 events: subscribe
  /// again, then look at ``domains()``. A connection nobody calls notices a daemon's silence after 20 s.
  /// See https://libvirt.org/html/libvirt-libvirt-domain.html#virConnectDomainEventRegisterAny.
  public func lifecycleEvents() throws(LibvirtError) -> AsyncStream<DomainLifecycleEvent> {
    let (stream, continuation) = AsyncStream.makeStream(
      of: DomainLifecycleEvent.self, bufferingPolicy: .bufferingOldest(4096))
    let token = try perform { (handle) throws(LibvirtError) in try handle.subscribe(continuation) }
    continuation.onTermination = { [weak self] _ in
      Task { await self?.unsubscribe(token) }
    }
    return stream
  }
}
