import CLibvirt

/// One open connection: the sole owner of its `virConnectPtr` and of what is registered on it, all freed on deinit.
///
/// Not Sendable: it stays inside the actor that opened it, and so on that actor's queue.
final class ConnectionHandle {
  /// Valid as long as the handle lives.
  let pointer: OpaquePointer
  let subscribers = EventSubscribers()
  /// libvirt's number of the callback for events, while there is one.
  private var callback: Int32?

  /// Opens the connection, https://libvirt.org/html/libvirt-libvirt-host.html#virConnectOpen.
  init(uri: String) throws(LibvirtError) {
    try Runtime.start()
    pointer = try check(virConnectOpen(try refusingNUL(uri)))
    // A daemon that stops answering is noticed after 5 s × (3 + 1). Drivers without a daemon refuse, and need none.
    virConnectSetKeepAlive(pointer, 5, 3)
    watchForLoss()
  }

  deinit {
    // Each registration holds a reference to the connection: they go first, or closing would free nothing.
    deregister()
    virConnectUnregisterCloseCallback(pointer, connectionLost)
    virConnectClose(pointer)
    subscribers.finish()
  }

  /// Whether the connection to the driver stands, as far as this end knows.
  var isAlive: Bool { virConnectIsAlive(pointer) == 1 }

  /// Adds a stream of the life cycle events of every domain.
  func subscribe(_ continuation: EventSubscribers.Continuation) throws(LibvirtError) -> EventSubscribers.Token {
    try register()
    return subscribers.add(continuation)
  }

  /// Takes a stream out; does nothing when it is not this connection's.
  func unsubscribe(_ token: EventSubscribers.Token) {
    if subscribers.remove(token) == .last { deregister() }
  }

  /// Registers the one callback that serves all streams: libvirt refuses the same function twice.
  private func register() throws(LibvirtError) {
    guard callback == nil else { return }
    let context = Unmanaged.passRetained(subscribers)
    // Safe: libvirt holds this one reference and gives it back to `releaseSubscribers` when the callback goes.
    let number = clibvirt_register_lifecycle(
      pointer, domainLifecycleChanged, context.toOpaque(), releaseSubscribers)
    guard number >= 0 else {
      let error = LibvirtError.last()
      context.release()
      throw error
    }
    callback = number
  }

  private func deregister() {
    guard let number = callback else { return }
    virConnectDomainEventDeregisterAny(pointer, number)
    callback = nil
  }

  private func watchForLoss() {
    // Safe: `subscribers` outlives the registration, which ends in deinit; libvirt calls the callback under the lock that
    // deregistering takes, so it never runs after that. Not retained: a driver that has no such callback says that it
    // registered it, and would never give a reference back.
    let context = Unmanaged.passUnretained(subscribers).toOpaque()
    virConnectRegisterCloseCallback(pointer, connectionLost, context, nil)
  }
}
