import Foundation

// What clients send, checked while it is read: every initialiser throws `ServiceError` `invalid_field` with the name of
// the offending field.

/// `POST /iaas/hosts`.
public struct NewHost: Codable, Sendable {
  /// `name`, `name:port` or `[v6]:port` of the agent.
  public var addr: String
  /// The enrolment account of the agent's own configuration.
  public var user: String
  public var password: String
  /// The fingerprint the certificate must have; nil trusts the first one seen.
  public var fingerprint: String?

  private enum CodingKeys: String, CodingKey, CaseIterable { case addr, user, password, fingerprint }

  public init(addr: String, user: String, password: String, fingerprint: String?) {
    self.addr = addr
    self.user = user
    self.password = password
    self.fingerprint = fingerprint
  }

  public init(from decoder: any Decoder) throws {
    let fields = try decoder.strictContainer(CodingKeys.self)
    addr = try Text.checked(fields.decode(String.self, forKey: .addr), field: "addr")
    user = try Text.checked(fields.decode(String.self, forKey: .user), field: "user")
    password = try fields.decode(String.self, forKey: .password)
    fingerprint = try fields.decodeIfPresent(String.self, forKey: .fingerprint)?.lowercased().replacing(":", with: "")
  }
}

/// `POST /iaas/images`, in either shape that clients send.
public struct NewImage: Codable, Sendable {
  /// Where to fetch it, or the name of a well-known image; nil for one whose content will be uploaded.
  public var url: String?
  /// Nil for a well-known image's own name.
  public var name: String?
  public var desc: String?
  /// The SHA-256, in hexadecimal, that the received bytes must have.
  public var sha256: String?
  /// The URL of a publisher's list of checksums, in which the URL's file name is looked up.
  public var checksums: String?

  private enum CodingKeys: String, CodingKey, CaseIterable { case url, name, desc, sha256, checksums, img }
  private struct Named: Decodable {
    let name: String
    let desc: String?
    enum CodingKeys: String, CodingKey, CaseIterable { case name, desc }
    init(from decoder: any Decoder) throws {
      let fields = try decoder.strictContainer(CodingKeys.self)
      name = try fields.decode(String.self, forKey: .name)
      desc = try fields.decodeIfPresent(String.self, forKey: .desc)
    }
  }

  public init(url: String?, name: String?, desc: String?, sha256: String? = nil, checksums: String? = nil) {
    self.url = url
    self.name = name
    self.desc = desc
    self.sha256 = sha256
    self.checksums = checksums
  }

  public init(from decoder: any Decoder) throws {
    let fields = try decoder.strictContainer(CodingKeys.self)
    let nested = try fields.decodeIfPresent(Named.self, forKey: .img)
    url = try Self.link(fields, .url)
    name = try (nested?.name ?? fields.decodeIfPresent(String.self, forKey: .name)).map {
      try Text.checked($0, field: "name")
    }
    desc = try (nested.map { $0.desc ?? "" } ?? fields.decodeIfPresent(String.self, forKey: .desc)).map {
      try Text.checked($0, field: "desc", limit: 1024, mayBeEmpty: true)
    }
    sha256 = try fields.decodeIfPresent(String.self, forKey: .sha256)?.lowercased()
    if let sha256, sha256.utf8.count != 64 || !sha256.allSatisfy(\.isHexDigit) {
      throw ServiceError.invalid("sha256", "must be 64 hexadecimal digits.")
    }
    checksums = try Self.link(fields, .checksums)
    if let url, !Self.isName(url), name == nil { throw ServiceError.invalid("name", "must be given.") }
    guard url != nil || name != nil else { throw ServiceError.invalid("name", "must be given.") }
    if url == nil, checksums != nil { throw ServiceError.invalid("checksums", "goes with a url.") }
  }

  /// Whether what stands for a URL is the name of a well-known image.
  public static func isName(_ url: String) -> Bool { !url.contains(":") && !url.contains("/") }

  private static func link(_ fields: KeyedDecodingContainer<CodingKeys>, _ key: CodingKeys) throws -> String? {
    try fields.decodeIfPresent(String.self, forKey: key).map {
      try Text.checked($0, field: key.rawValue, limit: 2048)
    }
  }

  public func encode(to encoder: any Encoder) throws {
    var fields = encoder.container(keyedBy: CodingKeys.self)
    try fields.encodeIfPresent(url, forKey: .url)
    try fields.encodeIfPresent(name, forKey: .name)
    try fields.encodeIfPresent(desc, forKey: .desc)
    try fields.encodeIfPresent(sha256, forKey: .sha256)
    try fields.encodeIfPresent(checksums, forKey: .checksums)
  }
}

/// `PUT /iaas/images/{imgId}`: what is not given stays as it is.
public struct ImageUpdate: Codable, Sendable {
  public var name: String?
  public var desc: String?

  private enum CodingKeys: String, CodingKey, CaseIterable { case name, desc }

  public init(name: String?, desc: String?) {
    self.name = name
    self.desc = desc
  }

  public init(from decoder: any Decoder) throws {
    let fields = try decoder.strictContainer(CodingKeys.self)
    name = try fields.decodeIfPresent(String.self, forKey: .name).map { try Text.checked($0, field: "name") }
    desc = try fields.decodeIfPresent(String.self, forKey: .desc).map {
      try Text.checked($0, field: "desc", limit: 1024, mayBeEmpty: true)
    }
  }
}

/// `POST …/shares`.
public struct NewShare: Codable, Sendable {
  /// An id or an e-mail.
  public var user: String
  public var role: Role
  public var expiresAt: Date?

  private enum CodingKeys: String, CodingKey, CaseIterable { case user, role, expiresAt }

  public init(user: String, role: Role, expiresAt: Date?) {
    self.user = user
    self.role = role
    self.expiresAt = expiresAt
  }

  public init(from decoder: any Decoder) throws {
    let fields = try decoder.strictContainer(CodingKeys.self)
    user = try Text.checked(fields.decode(String.self, forKey: .user), field: "user")
    let role = try fields.decodeIfPresent(String.self, forKey: .role) ?? Role.owner.rawValue
    guard let known = Role(rawValue: role) else {
      throw ServiceError.invalid("role", "must be one of \(Role.allCases.map(\.rawValue).joined(separator: ", ")).")
    }
    self.role = known
    expiresAt = try fields.decodeIfPresent(Date.self, forKey: .expiresAt)
    if let expiresAt, expiresAt <= Date() { throw ServiceError.invalid("expiresAt", "must be in the future.") }
  }
}

/// `POST /iaas/vms`.
public struct NewVM: Codable, Sendable {
  public var image: ImageID
  /// MiB; nil for the default.
  public var mem: Int?
  public var vcpus: Int?
  /// GiB; nil for the image's own size, rounded up.
  public var disk: Int?
  public var name: String?
  /// Public keys in OpenSSH's format, one a string.
  public var sshKeys: [String]
  public var start: Bool

  private enum CodingKeys: String, CodingKey, CaseIterable { case image, mem, vcpus, disk, name, sshKeys, start }

  public init(
    image: ImageID, mem: Int?, vcpus: Int?, disk: Int?, name: String?, sshKeys: [String], start: Bool
  ) {
    self.image = image
    self.mem = mem
    self.vcpus = vcpus
    self.disk = disk
    self.name = name
    self.sshKeys = sshKeys
    self.start = start
  }

  public init(from decoder: any Decoder) throws {
    let fields = try decoder.strictContainer(CodingKeys.self)
    guard let image = ImageID(try fields.decode(String.self, forKey: .image)) else {
      throw ServiceError.invalid("image", "must be the id of an image.")
    }
    self.image = image
    mem = try fields.decodeIfPresent(MemoryAmount.self, forKey: .mem)?.mebibytes
    vcpus = try fields.decodeIfPresent(Int.self, forKey: .vcpus)
    disk = try fields.decodeIfPresent(Int.self, forKey: .disk)
    name = try fields.decodeIfPresent(String.self, forKey: .name).map { try HostName.checked($0) }
    sshKeys = try fields.decodeIfPresent([String].self, forKey: .sshKeys) ?? []
    start = try fields.decodeIfPresent(Bool.self, forKey: .start) ?? false
    try Self.check("mem", mem, in: 16...4_194_304, unit: "MiB")
    try Self.check("vcpus", vcpus, in: 1...256, unit: "virtual CPUs")
    try Self.check("disk", disk, in: 1...65_536, unit: "GiB")
    guard sshKeys.count <= 32 else { throw ServiceError.invalid("sshKeys", "must be at most 32 keys.") }
    for key in sshKeys { _ = try Text.checked(key, field: "sshKeys", limit: 16_384) }
  }

  private static func check(_ field: String, _ value: Int?, in range: ClosedRange<Int>, unit: String) throws {
    guard let value, !range.contains(value) else { return }
    throw ServiceError.invalid(field, "must be \(range.lowerBound) to \(range.upperBound) \(unit).")
  }
}

/// A guest's name: a DNS label (RFC 1123, 2.1), as it becomes the host name.
public enum HostName {
  public static func checked(_ name: String) throws -> String {
    let letters = name.utf8.allSatisfy { byte in
      (0x30...0x39).contains(byte) || (0x61...0x7a).contains(byte) || (0x41...0x5a).contains(byte) || byte == 0x2d
    }
    guard (1...63).contains(name.utf8.count), letters, !name.hasPrefix("-"), !name.hasSuffix("-") else {
      throw ServiceError.invalid("name", "must be 1 to 63 letters, digits and hyphens, with no hyphen at either end.")
    }
    return name
  }
}

/// What a client asks a VM to become; `start` and `stop` and the names of the states mean the same.
public enum PowerRequest: String, Codable, Sendable, CaseIterable {
  case start, stop, running, stopped, reboot, reset, pause, resume
}

/// `PUT /iaas/vms/{vmId}`.
public struct VMUpdate: Codable, Sendable {
  public var state: PowerRequest

  private enum CodingKeys: String, CodingKey, CaseIterable { case state }

  public init(state: PowerRequest) { self.state = state }

  public init(from decoder: any Decoder) throws {
    let fields = try decoder.strictContainer(CodingKeys.self)
    guard let state = PowerRequest(rawValue: try fields.decode(String.self, forKey: .state)) else {
      let all = PowerRequest.allCases.map(\.rawValue).joined(separator: ", ")
      throw ServiceError.invalid("state", "must be one of \(all).")
    }
    self.state = state
  }
}
