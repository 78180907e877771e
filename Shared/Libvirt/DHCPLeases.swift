import CLibvirt
import Foundation

/// An address that the DHCP server of a network gave to somebody.
/// See https://libvirt.org/html/libvirt-libvirt-network.html#virNetworkDHCPLease.
public struct DHCPLease: Hashable, Sendable {
  /// The hardware address it was given to, in lower case, nil when unknown.
  public let mac: String?
  /// The IP address.
  public let address: String
  /// When it ends, nil when never.
  public let expiry: Date?
  /// The name its holder claims, nil when it claims none.
  public let hostname: String?

  /// A lease as libvirt reports it, or as a test invents it.
  public init(mac: String?, address: String, expiry: Date?, hostname: String?) {
    self.mac = mac
    self.address = address
    self.expiry = expiry
    self.hostname = hostname
  }
}

extension DHCPLease {
  init?(copying lease: virNetworkDHCPLease) {
    guard let address = lease.ipaddr else { return nil }
    self.init(
      mac: lease.mac.map { String(cString: $0).lowercased() }, address: String(cString: address),
      expiry: lease.expirytime == 0 ? nil : Date(timeIntervalSince1970: TimeInterval(lease.expirytime)),
      hostname: lease.hostname.map { String(cString: $0) })
  }
}

extension LibvirtConnection {
  /// All leases of a network that are valid now, in one call.
  ///
  /// Throws ``LibvirtError/Code/noNetwork`` when there is no such network. One that serves no DHCP has none; one that is down
  /// has those that did not end yet.
  /// See https://libvirt.org/html/libvirt-libvirt-network.html#virNetworkGetDHCPLeases.
  public func dhcpLeases(ofNetwork name: String) throws(LibvirtError) -> [DHCPLease] {
    try withNetwork(name) { (network) throws(LibvirtError) in
      var list: UnsafeMutablePointer<virNetworkDHCPLeasePtr?>?
      let count = try check(virNetworkGetDHCPLeases(network, nil, &list, 0))
      // Safe: libvirt allocated the array with `count` leases, which become ours one by one, as does the array.
      let leases = UnsafeBufferPointer(start: list, count: Int(count)).compactMap(\.self)
      free(list)
      defer { for lease in leases { virNetworkDHCPLeaseFree(lease) } }
      return leases.compactMap { DHCPLease(copying: $0.pointee) }
    }
  }
}
