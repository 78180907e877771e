import CLibvirt
import Foundation

extension LibvirtConnection {
  /// The element a domain keeps for an application, nil when it has none of that namespace.
  ///
  /// That of the running domain if it runs, the stored one otherwise.
  /// See https://libvirt.org/html/libvirt-libvirt-domain.html#virDomainGetMetadata.
  /// - Parameter namespace: The element's XML namespace, a URI.
  public func metadata(of uuid: UUID, namespace: String) throws(LibvirtError) -> String? {
    let namespace = try refusingNUL(namespace)
    return try withDomain(uuid) { (domain) throws(LibvirtError) in
      try readMetadata(of: domain, namespace: namespace)
    }
  }

  /// Sets the element a domain keeps for an application, in its stored description and, if it runs, in the running one.
  /// See https://libvirt.org/html/libvirt-libvirt-domain.html#virDomainSetMetadata.
  /// - Parameters:
  ///   - namespace: The element's XML namespace, a URI.
  ///   - prefix: The name under which libvirt declares the namespace.
  ///   - xml: The element, without prefix and namespace; nil removes it.
  public func setMetadata(
    of uuid: UUID, namespace: String, prefix: String, xml: String?
  ) throws(LibvirtError) {
    let (namespace, prefix) = (try refusingNUL(namespace), try refusingNUL(prefix))
    if let xml { _ = try refusingNUL(xml) }
    try withDomain(uuid) { (domain) throws(LibvirtError) in
      let element = Int32(VIR_DOMAIN_METADATA_ELEMENT.rawValue)
      try check(virDomainSetMetadata(domain, element, xml, prefix, namespace, try impact(on: domain)))
    }
  }

  /// The flags for everything a domain has: a stored description, a running one, or both.
  private func impact(on domain: OpaquePointer) throws(LibvirtError) -> UInt32 {
    var flags: UInt32 = 0
    if try check(virDomainIsActive(domain)) == 1 { flags |= VIR_DOMAIN_AFFECT_LIVE.rawValue }
    if try check(virDomainIsPersistent(domain)) == 1 { flags |= VIR_DOMAIN_AFFECT_CONFIG.rawValue }
    return flags
  }
}

/// The element a domain keeps for an application, nil when it has none of that namespace.
func readMetadata(of domain: OpaquePointer, namespace: String) throws(LibvirtError) -> String? {
  do throws(LibvirtError) {
    let element = Int32(VIR_DOMAIN_METADATA_ELEMENT.rawValue)
    return takeString(try check(virDomainGetMetadata(domain, element, namespace, 0)))
  } catch {
    guard error.code == .noDomainMetadata else { throw error }
    return nil
  }
}
