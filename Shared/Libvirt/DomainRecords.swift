import CLibvirt

/// A domain as it was when it was read, with what it keeps for an application.
public struct DomainRecord: Hashable, Sendable {
  public let domain: Domain
  /// The element of the namespace asked for, nil when it has none.
  public let metadata: String?

  /// A record as libvirt reports it, or as a test invents it.
  public init(domain: Domain, metadata: String?) {
    self.domain = domain
    self.metadata = metadata
  }
}

extension LibvirtConnection {
  /// Every domain of the host, whoever made it, with its element of a namespace: as ``domains()`` and
  /// ``metadata(of:namespace:)``, in one go. A domain that goes meanwhile is left out.
  /// - Parameter namespace: The element's XML namespace, a URI.
  public func domainRecords(namespace: String) throws(LibvirtError) -> [DomainRecord] {
    let namespace = try refusingNUL(namespace)
    return try mapDomains { (domain) throws(LibvirtError) in
      DomainRecord(
        domain: try Domain(copying: domain), metadata: try readMetadata(of: domain, namespace: namespace))
    }
  }
}
