import Foundation

/// What a quota limits: what is held at a time, and what is consumed in a calendar month (UTC).
public enum QuotaResource: String, Codable, Sendable, CaseIterable, CodingKeyRepresentable {
  case images, imageBytes, vms, vcpus, mem, disk
  case cpuSeconds, memMiBHours, diskReadBytes, diskWrittenBytes, netRxBytes, netTxBytes

  /// Those of which something is held, in the order in which people read them.
  public static let held: [QuotaResource] = [.vms, .vcpus, .mem, .disk, .images, .imageBytes]
  /// Those that are consumed in a calendar month.
  public static let consumed: [QuotaResource] = [
    .cpuSeconds, .memMiBHours, .diskReadBytes, .diskWrittenBytes, .netRxBytes, .netTxBytes,
  ]

  /// A number of them, as it stands in a sentence.
  public func amount(_ number: Int64) -> String {
    switch self {
    case .images: number == 1 ? "1 image" : "\(number) images"
    case .imageBytes: "\(number) bytes of images"
    case .vms: number == 1 ? "1 VM" : "\(number) VMs"
    case .vcpus: number == 1 ? "1 vCPU" : "\(number) vCPUs"
    case .mem: "\(number) MiB of memory"
    case .disk: "\(number) GiB of disk"
    case .cpuSeconds: "\(number) s of processor time"
    case .memMiBHours: "\(number) MiB hours of memory"
    case .diskReadBytes: "\(number) bytes read from disks"
    case .diskWrittenBytes: "\(number) bytes written to disks"
    case .netRxBytes: "\(number) bytes received"
    case .netTxBytes: "\(number) bytes sent"
    }
  }
}

/// Limits by resource, as they were set. One that is `unlimited` stands as `null` on the wire; one that is absent is that
/// of the group, or the installation's.
public struct Quota: Codable, Sendable, Equatable {
  public enum Limit: Sendable, Equatable {
    case unlimited
    case at(Int64)
  }

  public var limits: [QuotaResource: Limit]
  /// A name for limits in the installation's configuration.
  public var group: String?
  /// Of the VMs that the person makes from then on; nil for those of the group, or the installation's.
  public var caps: Caps?

  public init(limits: [QuotaResource: Limit] = [:], group: String? = nil, caps: Caps? = nil) {
    self.limits = limits
    self.group = group
    self.caps = caps
  }

  private enum Key: CodingKey, CaseIterable {
    case group, caps
    case resource(QuotaResource)

    static let allCases = [Key.group, .caps] + QuotaResource.allCases.map { Key.resource($0) }

    var stringValue: String {
      switch self {
      case .group: "group"
      case .caps: "caps"
      case .resource(let resource): resource.rawValue
      }
    }
    var intValue: Int? { nil }

    init?(stringValue: String) {
      guard let key = Self.allCases.first(where: { $0.stringValue == stringValue }) else { return nil }
      self = key
    }
    init?(intValue: Int) { nil }
  }

  public init(from decoder: any Decoder) throws {
    let fields = try decoder.strictContainer(
      Key.self, nullable: [.caps] + QuotaResource.allCases.map { .resource($0) })
    group = try fields.decodeIfPresent(String.self, forKey: .group).map { try Text.checked($0, field: "quota.group") }
    caps = try fields.decodeIfPresent(Caps.self, forKey: .caps)
    limits = [:]
    for case .resource(let resource) in fields.allKeys {
      guard let number = try fields.decodeIfPresent(Int64.self, forKey: .resource(resource)) else {
        limits[resource] = .unlimited
        continue
      }
      guard number >= 0 else { throw ServiceError.invalid("quota.\(resource.rawValue)", "must not be negative.") }
      limits[resource] = .at(number)
    }
  }

  public func encode(to encoder: any Encoder) throws {
    var fields = encoder.container(keyedBy: Key.self)
    try fields.encodeIfPresent(group, forKey: .group)
    try fields.encodeIfPresent(caps, forKey: .caps)
    for (resource, limit) in limits {
      switch limit {
      case .unlimited: try fields.encodeNil(forKey: .resource(resource))
      case .at(let number): try fields.encode(number, forKey: .resource(resource))
      }
    }
  }
}

/// The limits that hold for a person. What is absent is unlimited.
public struct Limits: Codable, Sendable, Equatable {
  public var numbers: [QuotaResource: Int64]
  /// Rises with every change of what was set for the person, so that an older word does not replace a newer one.
  public var revision: Int64
  /// Those of somebody for whom nothing was set, for owners of whom nothing is known.
  public var defaults: [QuotaResource: Int64]?
  /// What the person's new VMs may use at most.
  public var caps: Caps?

  public init(
    _ numbers: [QuotaResource: Int64] = [:], revision: Int64 = 0, defaults: [QuotaResource: Int64]? = nil,
    caps: Caps? = nil
  ) {
    self.caps = caps
    self.numbers = numbers
    self.revision = revision
    self.defaults = defaults
  }

  /// Of internal calls: the caller's limits as JSON.
  public static let header = "IaaS-Limits"
}

/// What a person holds, and what they have consumed in a calendar month (UTC).
public struct Usage: Codable, Sendable, Equatable {
  public var user: UserID
  public var month: Month
  public var held: [QuotaResource: Int64]
  public var consumed: [QuotaResource: Int64]

  public init(user: UserID, month: Month, held: [QuotaResource: Int64], consumed: [QuotaResource: Int64]) {
    self.user = user
    self.month = month
    self.held = held
    self.consumed = consumed
  }
}

/// A calendar month, as `2026-11`.
public struct Month: Codable, Sendable, Hashable, LosslessStringConvertible {
  public let description: String

  /// Nil unless the text is a year of four digits, a hyphen and a month of two.
  public init?(_ description: String) {
    guard description.wholeMatch(of: /[0-9]{4}-(0[1-9]|1[0-2])/) != nil else { return nil }
    self.description = description
  }

  public init(from decoder: any Decoder) throws {
    let text = try decoder.singleValueContainer().decode(String.self)
    guard let month = Month(text) else { throw Month.invalid }
    self = month
  }

  public func encode(to encoder: any Encoder) throws {
    var value = encoder.singleValueContainer()
    try value.encode(description)
  }

  public static let invalid = ServiceError.invalid("month", "must be a month such as 2026-11.")
}

/// Who somebody is, with what they may have and what they have.
public struct Account: Codable, Sendable {
  public var user: User
  /// The limits that hold, whoever set them.
  public var limits: [QuotaResource: Int64]
  /// Nil when it is not known at this moment.
  public var usage: [QuotaResource: Int64]?

  private enum CodingKeys: CodingKey { case limits, usage }

  public init(user: User, limits: Limits, usage: Usage?) {
    self.user = user
    self.limits = limits.numbers
    self.usage = usage.map { $0.held.merging($0.consumed) { held, _ in held } }
  }

  public init(from decoder: any Decoder) throws {
    user = try User(from: decoder)
    let fields = try decoder.container(keyedBy: CodingKeys.self)
    limits = try fields.decode([QuotaResource: Int64].self, forKey: .limits)
    usage = try fields.decodeIfPresent([QuotaResource: Int64].self, forKey: .usage)
  }

  /// As a user with two members more.
  public func encode(to encoder: any Encoder) throws {
    try user.encode(to: encoder)
    var fields = encoder.container(keyedBy: CodingKeys.self)
    try fields.encode(limits, forKey: .limits)
    try fields.encodeIfPresent(usage, forKey: .usage)
  }
}

/// What was asked for, and the limit that stands against it.
public struct QuotaRefusal: Codable, Sendable, Equatable {
  public var resource: QuotaResource
  public var limit: Int64
  public var used: Int64
  public var requested: Int64
  /// When the count begins anew; nil for what is held.
  public var resetsAt: Date?

  public init(resource: QuotaResource, limit: Int64, used: Int64, requested: Int64, resetsAt: Date? = nil) {
    self.resetsAt = resetsAt
    self.resource = resource
    self.limit = limit
    self.used = used
    self.requested = requested
  }
}

/// A limit of which four fifths or more are used.
public struct QuotaWarning: Codable, Sendable, Equatable, CustomStringConvertible {
  public var resource: QuotaResource
  public var limit: Int64
  public var used: Int64

  /// - Returns: Nil as long as there is much left.
  public init?(resource: QuotaResource, limit: Int64, used: Int64) {
    guard limit > 0, Double(used) >= Double(limit) * Self.share else { return nil }
    self.resource = resource
    self.limit = limit
    self.used = used
  }

  /// Of a limit, from which on people are warned.
  private static let share = 0.8

  /// As it stands in the header `IaaS-Quota-Warning`.
  public var description: String { "\(resource.rawValue)=\(used)/\(limit)" }
}

extension ServiceError {
  /// - Parameter isOwn: Whether the limit is that of the person who asks, not of the owner of what they ask about.
  public static func quotaExceeded(_ refusal: QuotaRefusal, isOwn: Bool = true) -> ServiceError {
    let resource = refusal.resource
    let owner = isOwn ? "Your" : "The owner's"
    if let resetsAt = refusal.resetsAt {
      var error = ServiceError(
        .quotaExceeded,
        """
        \(owner) quota of this month, \(resource.amount(refusal.limit)), is used up; it begins anew on \
        \(resetsAt.formatted(.iso8601.year().month().day())). Ask an administrator for more.
        """)
      error.quota = refusal
      return error
    }
    var error = ServiceError(
      .quotaExceeded,
      """
      \(owner) quota is \(resource.amount(refusal.limit)): \(refusal.used) are in use, and \
      this takes \(refusal.requested) more. Remove something, or ask an administrator for more.
      """)
    error.quota = refusal
    return error
  }
}
