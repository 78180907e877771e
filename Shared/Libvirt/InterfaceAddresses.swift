import CLibvirt
import Foundation

/// A network interface of a domain, with the addresses it was seen with.
public struct InterfaceAddress: Hashable, Sendable {
  /// The host's name of it (by lease or ARP), or the guest's (by agent).
  public let name: String
  /// Its hardware address, nil when unknown.
  public let mac: String?
  /// Its IP addresses.
  public let addresses: [IPAddress]

  /// An IP address as text, with the length of its prefix in bits.
  public struct IPAddress: Hashable, Sendable {
    public let address: String
    public let prefix: UInt32

    /// An address as libvirt reports it, or as a test invents it.
    public init(address: String, prefix: UInt32) {
      self.address = address
      self.prefix = prefix
    }
  }

  /// An interface as libvirt reports it, or as a test invents it.
  public init(name: String, mac: String?, addresses: [IPAddress]) {
    self.name = name
    self.mac = mac
    self.addresses = addresses
  }
}

/// Who knows a domain's addresses.
/// See https://libvirt.org/html/libvirt-libvirt-domain.html#virDomainInterfaceAddressesSource.
public enum InterfaceAddressSource: Sendable {
  /// The DHCP server of a libvirt network.
  case lease
  /// The guest agent: a claim of the guest.
  case agent
  /// The host's ARP table.
  case arp

  var rawValue: UInt32 {
    switch self {
    case .lease: VIR_DOMAIN_INTERFACE_ADDRESSES_SRC_LEASE.rawValue
    case .agent: VIR_DOMAIN_INTERFACE_ADDRESSES_SRC_AGENT.rawValue
    case .arp: VIR_DOMAIN_INTERFACE_ADDRESSES_SRC_ARP.rawValue
    }
  }
}

extension LibvirtConnection {
  /// The interfaces of a running domain with their addresses, as far as the source knows them.
  ///
  /// Throws ``LibvirtError/Code/operationInvalid`` when it does not run, ``LibvirtError/Code/agentUnresponsive`` when the
  /// agent is asked and does not answer within 5 s, ``LibvirtError/Code/agentCommandFailed`` when it answers nonsense.
  /// See https://libvirt.org/html/libvirt-libvirt-domain.html#virDomainInterfaceAddresses.
  public func interfaceAddresses(
    of uuid: UUID, source: InterfaceAddressSource
  ) throws(LibvirtError) -> [InterfaceAddress] {
    try withDomain(uuid) { (domain) throws(LibvirtError) in
      guard source == .agent else { return try readAddresses(of: domain, source: source) }
      try limitAgent(of: domain, seconds: 5)
      return try askingAgent(of: domain) { () throws(LibvirtError) in
        try readAddresses(of: domain, source: source)
      }
    }
  }

  private func readAddresses(
    of domain: OpaquePointer, source: InterfaceAddressSource
  ) throws(LibvirtError) -> [InterfaceAddress] {
    var list: UnsafeMutablePointer<virDomainInterfacePtr?>?
    let count = try check(virDomainInterfaceAddresses(domain, &list, source.rawValue, 0))
    // Safe: libvirt allocated the array with `count` interfaces, which become ours one by one, as does the array.
    let interfaces = UnsafeBufferPointer(start: list, count: Int(count)).compactMap(\.self)
    free(list)
    defer { for interface in interfaces { virDomainInterfaceFree(interface) } }
    return interfaces.map { InterfaceAddress(copying: $0.pointee) }
  }
}

extension InterfaceAddress {
  init(copying interface: virDomainInterface) {
    // Safe: libvirt filled `naddrs` addresses, and all is copied before the interface is freed.
    let addresses = UnsafeBufferPointer(start: interface.addrs, count: Int(interface.naddrs))
    self.init(
      name: interface.name.map { String(cString: $0) } ?? "", mac: interface.hwaddr.map { String(cString: $0) },
      addresses: addresses.compactMap { address in
        address.addr.map { IPAddress(address: String(cString: $0), prefix: address.prefix) }
      })
  }
}
