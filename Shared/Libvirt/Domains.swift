import CLibvirt
import Foundation

/// A domain as it was when it was read.
public struct Domain: Hashable, Sendable {
  /// Its identity on this host.
  public let uuid: UUID
  /// Its name, unique on this host.
  public let name: String
  /// Its state.
  public let state: DomainState
  /// Why it is in that state, as a number whose meaning depends on the state.
  public let reason: Int32

  /// A domain as libvirt reports it, or as a test invents it.
  public init(uuid: UUID, name: String, state: DomainState, reason: Int32) {
    self.uuid = uuid
    self.name = name
    self.state = state
    self.reason = reason
  }

  /// Why it is off, nil unless it is.
  public var shutoffReason: ShutoffReason? {
    state == .shutoff ? ShutoffReason(rawValue: reason) : nil
  }
}

extension Domain {
  /// Copies what a domain's pointer tells.
  init(copying pointer: OpaquePointer) throws(LibvirtError) {
    var (state, reason): (Int32, Int32) = (0, 0)
    try check(virDomainGetState(pointer, &state, &reason, 0))
    try self.init(
      uuid: readUUID { virDomainGetUUID(pointer, $0) }, name: String(cString: check(virDomainGetName(pointer))),
      state: DomainState(rawValue: state), reason: reason)
  }
}

extension LibvirtConnection {
  /// Makes a domain, off, or changes the stored description of the one with the same UUID and name.
  ///
  /// Refuses text that is no XML (``LibvirtError/Code/xmlDetail``), a description that lacks what it needs
  /// (``LibvirtError/Code/xmlError`` and others) and a name or UUID taken by another domain
  /// (``LibvirtError/Code/operationFailed``).
  /// See https://libvirt.org/html/libvirt-libvirt-domain.html#virDomainDefineXMLFlags.
  @discardableResult
  public func define(xml: String) throws(LibvirtError) -> Domain {
    try withConnection { (connection) throws(LibvirtError) in
      let domain = try check(virDomainDefineXMLFlags(connection, try refusingNUL(xml), 0))
      defer { virDomainFree(domain) }
      return try Domain(copying: domain)
    }
  }

  /// The domain of that UUID, nil when there is none.
  /// See https://libvirt.org/html/libvirt-libvirt-domain.html#virDomainLookupByUUID.
  public func domain(uuid: UUID) throws(LibvirtError) -> Domain? {
    do throws(LibvirtError) {
      return try withDomain(uuid) { (domain) throws(LibvirtError) in try Domain(copying: domain) }
    } catch {
      guard error.code == .noDomain else { throw error }
      return nil
    }
  }

  /// Every domain of the host, whoever made it, in no order.
  /// See https://libvirt.org/html/libvirt-libvirt-domain.html#virConnectListAllDomains.
  public func domains() throws(LibvirtError) -> [Domain] {
    try mapDomains { (domain) throws(LibvirtError) in try Domain(copying: domain) }
  }

  /// The domain's description, without its secrets. See https://libvirt.org/formatdomain.html.
  /// - Parameter inactive: The stored description, which the next start takes; otherwise that of a running domain.
  public func xml(of uuid: UUID, inactive: Bool) throws(LibvirtError) -> String {
    try withDomain(uuid) { (domain) throws(LibvirtError) in
      takeString(try check(virDomainGetXMLDesc(domain, inactive ? VIR_DOMAIN_XML_INACTIVE.rawValue : 0)))
    }
  }

  /// Runs a call on the pointer of every domain, which must not leave the call, and frees them; a domain that went between
  /// being listed and being read is left out.
  func mapDomains<Element>(
    _ transform: (OpaquePointer) throws(LibvirtError) -> Element
  ) throws(LibvirtError) -> [Element] {
    try withConnection { (connection) throws(LibvirtError) in
      var list: UnsafeMutablePointer<OpaquePointer?>?
      let count = try check(virConnectListAllDomains(connection, &list, 0))
      // Safe: libvirt allocated the array with `count` domains, which become ours one by one, as does the array.
      let pointers = UnsafeBufferPointer(start: list, count: Int(count)).compactMap(\.self)
      free(list)
      defer { for pointer in pointers { virDomainFree(pointer) } }
      return try mapPresent(pointers, transform)
    }
  }

  private func mapPresent<Element>(
    _ pointers: [OpaquePointer], _ transform: (OpaquePointer) throws(LibvirtError) -> Element
  ) throws(LibvirtError) -> [Element] {
    var elements: [Element] = []
    for pointer in pointers {
      do throws(LibvirtError) {
        elements.append(try transform(pointer))
      } catch {
        guard error.code == .noDomain else { throw error }
      }
    }
    return elements
  }
}
