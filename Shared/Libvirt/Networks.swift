import CLibvirt
import Foundation

/// A virtual network of the host, as it was when it was read.
public struct Network: Hashable, Sendable {
  /// Its name, unique on this host.
  public let name: String
  public let uuid: UUID
  /// Whether it is up.
  public let isActive: Bool
  /// Whether it starts with the daemon.
  public let isAutostarted: Bool
  /// The host's bridge it uses, nil when it has none.
  public let bridge: String?
}

extension Network {
  /// Copies what a network's pointer tells.
  init(copying pointer: OpaquePointer) throws(LibvirtError) {
    var autostart: Int32 = 0
    try check(virNetworkGetAutostart(pointer, &autostart))
    name = String(cString: try check(virNetworkGetName(pointer)))
    uuid = try readUUID { virNetworkGetUUID(pointer, $0) }
    isActive = try check(virNetworkIsActive(pointer)) == 1
    isAutostarted = autostart == 1
    // A network without a bridge is an error to libvirt, not to us; a lost connection shows at the next call.
    bridge = virNetworkGetBridgeName(pointer).map(takeString)
  }
}

/// Networks by name. See https://libvirt.org/html/libvirt-libvirt-network.html and https://libvirt.org/formatnetwork.html.
///
/// Except for ``network(_:)`` and ``defineNetwork(xml:)`` every call throws ``LibvirtError/Code/noNetwork`` when there is
/// no such network, and ``LibvirtError/Code/operationInvalid`` when its present state does not allow the change.
extension LibvirtConnection {
  /// The network of that name, nil when there is none.
  public func network(_ name: String) throws(LibvirtError) -> Network? {
    do throws(LibvirtError) {
      return try withNetwork(name) { (network) throws(LibvirtError) in try Network(copying: network) }
    } catch {
      guard error.code == .noNetwork else { throw error }
      return nil
    }
  }

  /// Makes a network, down, or changes the stored description of the one with the same UUID and name.
  @discardableResult
  public func defineNetwork(xml: String) throws(LibvirtError) -> Network {
    try withConnection { (connection) throws(LibvirtError) in
      let network = try check(virNetworkDefineXML(connection, try refusingNUL(xml)))
      defer { virNetworkFree(network) }
      return try Network(copying: network)
    }
  }

  /// Brings a network up.
  public func startNetwork(_ name: String) throws(LibvirtError) {
    try changeNetwork(name, virNetworkCreate)
  }

  /// Decides whether a network starts with the daemon.
  public func setAutostart(_ autostart: Bool, network name: String) throws(LibvirtError) {
    try changeNetwork(name) { virNetworkSetAutostart($0, autostart ? 1 : 0) }
  }

  /// Takes a network down; it stays defined.
  public func destroyNetwork(_ name: String) throws(LibvirtError) {
    try changeNetwork(name, virNetworkDestroy)
  }

  /// Removes a network's stored description. One that is up stays up, and goes when it is taken down.
  public func undefineNetwork(_ name: String) throws(LibvirtError) {
    try changeNetwork(name, virNetworkUndefine)
  }

  private func changeNetwork(_ name: String, _ call: (OpaquePointer) -> Int32) throws(LibvirtError) {
    try withNetwork(name) { (network) throws(LibvirtError) in _ = try check(call(network)) }
  }

  /// Looks a network up, runs a call on its pointer, which must not leave the call, and frees it.
  func withNetwork<Result>(
    _ name: String, _ body: (OpaquePointer) throws(LibvirtError) -> Result
  ) throws(LibvirtError) -> Result {
    try withConnection { (connection) throws(LibvirtError) in
      let network = try check(virNetworkLookupByName(connection, try refusingNUL(name)))
      defer { virNetworkFree(network) }
      return try body(network)
    }
  }
}
