import Blocking
import CLibvirt
import Foundation

/// A connection to a hypervisor, by way of libvirt. See https://libvirt.org/html/libvirt-libvirt-host.html.
///
/// It opens at the first call, and again at the first call after it was lost. A call that fails is never repeated here:
/// whether repeating is right is the caller's knowledge. Every call blocks the actor's own thread and no other, so calls
/// on one connection run one after another; who wants two at a time makes two connections.
///
/// A daemon that stops answering fails a call after 20 s; one that accepts and never greets can hold up opening longer.
/// A string argument that holds a NUL byte is refused as ``LibvirtError/Code/invalidArgument``.
public actor LibvirtConnection {
  private let executor: QueueExecutor
  private let uri: String
  private var handle: ConnectionHandle?
  private var isClosed = false

  /// - Parameter uri: Where to connect, such as `qemu:///system`; see https://libvirt.org/uri.html.
  public init(uri: String) {
    self.uri = uri
    executor = QueueExecutor(label: "libvirt-connection")
  }

  // Closing is a blocking call, so it too runs on the actor's queue, where the handle is dropped.
  isolated deinit {}

  /// The actor's own queue.
  public nonisolated var unownedExecutor: UnownedSerialExecutor { executor.asUnownedSerialExecutor() }

  /// Closes the connection for good and ends its event streams; later calls throw
  /// ``LibvirtError/Code/invalidConnection``.
  public func close() {
    isClosed = true
    handle = nil
  }

  /// Drops the connection, as if it were lost; the next call opens it again.
  func disconnect() {
    handle = nil
  }
}

extension LibvirtConnection {
  /// The open connection, opened now if need be.
  func openHandle() throws(LibvirtError) -> ConnectionHandle {
    if isClosed { throw .refused(.invalidConnection, "the connection was closed") }
    if let handle, handle.isAlive { return handle }
    handle = nil
    let opened = try ConnectionHandle(uri: uri)
    handle = opened
    return opened
  }

  /// Ends a stream's registration, unless it went with its connection.
  func unsubscribe(_ token: EventSubscribers.Token) {
    handle?.unsubscribe(token)
  }

  /// Runs a call on the open connection, which is dropped if it turns out to be lost.
  func perform<Result>(
    _ body: (ConnectionHandle) throws(LibvirtError) -> Result
  ) throws(LibvirtError) -> Result {
    let handle = try openHandle()
    do throws(LibvirtError) {
      return try body(handle)
    } catch {
      if error.isConnectionFailure { disconnect() }
      throw error
    }
  }

  /// Runs a call on the connection's pointer, which must not leave the call.
  func withConnection<Result>(
    _ body: (OpaquePointer) throws(LibvirtError) -> Result
  ) throws(LibvirtError) -> Result {
    try perform { (handle) throws(LibvirtError) in try body(handle.pointer) }
  }

  /// Looks a domain up, runs a call on its pointer, which must not leave the call, and frees it.
  /// See https://libvirt.org/html/libvirt-libvirt-domain.html#virDomainLookupByUUID.
  func withDomain<Result>(
    _ uuid: UUID, _ body: (OpaquePointer) throws(LibvirtError) -> Result
  ) throws(LibvirtError) -> Result {
    try withConnection { (connection) throws(LibvirtError) in
      let domain = try check(withRawUUID(uuid) { virDomainLookupByUUID(connection, $0) })
      defer { virDomainFree(domain) }
      return try body(domain)
    }
  }
}

/// Calls with all the flags wanted, and once more with fewer where the driver does not know them all: it then refuses
/// with ``LibvirtError/Code/invalidArgument`` before it does anything.
func withFlags<Result>(
  _ wanted: UInt32, orElse fewer: UInt32, _ body: (UInt32) throws(LibvirtError) -> Result
) throws(LibvirtError) -> Result {
  do throws(LibvirtError) {
    return try body(wanted)
  } catch {
    guard error.code == .invalidArgument else { throw error }
    return try body(fewer)
  }
}
