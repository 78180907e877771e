/// `POST /iaas/placements`: what would come of a VM that is asked for, on each host. Nothing is made.
public struct PlacementAnswer: Codable, Sendable, Equatable {
  /// Whether there is a host for it at this moment.
  public var fits: Bool
  /// A sentence for people.
  public var message: String
  /// For administrators: every host, up to 100.
  public var hosts: [HostVerdict]?

  public init(fits: Bool, message: String, hosts: [HostVerdict]?) {
    self.fits = fits
    self.message = message
    self.hosts = hosts
  }
}

/// What a host is to a VM that is to be placed.
public struct HostVerdict: Codable, Sendable, Equatable {
  public var host: HostID
  public var addr: String
  /// Why not; nil for a host that would do.
  public var reason: String?
  /// Whether it would be taken.
  public var isBest: Bool

  private enum CodingKeys: String, CodingKey {
    case host, addr, reason
    case isBest = "best"
  }

  public init(host: HostID, addr: String, reason: String?, isBest: Bool) {
    self.host = host
    self.addr = addr
    self.reason = reason
    self.isBest = isBest
  }
}
