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
    if let fingerprint, fingerprint.wholeMatch(of: /[0-9a-f]{64}/) == nil {
      throw ServiceError.invalid("fingerprint", "must be 64 hexadecimal digits, with or without colons.")
    }
  }
}

/// `PUT /iaas/hosts/{hostId}`: what is not given stays as it is.
public struct HostUpdate: Codable, Sendable {
  /// `up`, `maintenance` or `dead`; the other states are not an administrator's to give.
  public var state: HostState?
  public var overcommit: Overcommit?

  private enum CodingKeys: String, CodingKey, CaseIterable { case state, overcommit }
  private struct Factors: Decodable {
    let value: Overcommit
    enum CodingKeys: String, CodingKey, CaseIterable { case cpus, mem, disk }
    init(from decoder: any Decoder) throws {
      let fields = try decoder.strictContainer(CodingKeys.self)
      func factor(_ key: CodingKeys) throws -> Double {
        let factor = try fields.decode(Double.self, forKey: key)
        guard (0.1...100).contains(factor) else {
          throw ServiceError.invalid("overcommit.\(key.rawValue)", "must be 0.1 to 100.")
        }
        return factor
      }
      value = Overcommit(cpus: try factor(.cpus), mem: try factor(.mem), disk: try factor(.disk))
    }
  }

  public init(state: HostState?, overcommit: Overcommit?) {
    self.state = state
    self.overcommit = overcommit
  }

  public init(from decoder: any Decoder) throws {
    let fields = try decoder.strictContainer(CodingKeys.self)
    overcommit = try fields.decodeIfPresent(Factors.self, forKey: .overcommit)?.value
    guard let text = try fields.decodeIfPresent(String.self, forKey: .state) else { return }
    guard let state = HostState(rawValue: text), [.up, .maintenance, .dead].contains(state) else {
      throw ServiceError.invalid("state", "must be one of up, maintenance, dead.")
    }
    self.state = state
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
  /// The processor architecture that it runs on; nil for the usual one.
  public var arch: String?

  private enum CodingKeys: String, CodingKey, CaseIterable { case url, name, desc, sha256, checksums, arch, img }
  private struct Named: Decodable {
    let name: String
    let desc: String?
    enum CodingKeys: String, CodingKey, CaseIterable { case name, desc }
    init(from decoder: any Decoder) throws {
      let fields = try decoder.strictContainer(CodingKeys.self, nullable: [.desc])
      name = try fields.decode(String.self, forKey: .name)
      desc = try fields.decodeIfPresent(String.self, forKey: .desc)
    }
  }

  public init(
    url: String?, name: String?, desc: String?, sha256: String? = nil, checksums: String? = nil, arch: String? = nil
  ) {
    self.arch = arch
    self.url = url
    self.name = name
    self.desc = desc
    self.sha256 = sha256
    self.checksums = checksums
  }

  public init(from decoder: any Decoder) throws {
    let fields = try decoder.strictContainer(CodingKeys.self, nullable: [.desc])
    let nested = try fields.decodeIfPresent(Named.self, forKey: .img)
    let flat = (
      name: try fields.decodeIfPresent(String.self, forKey: .name).map { try Text.checked($0, field: "name") },
      desc: try fields.decodeIfPresent(String.self, forKey: .desc).map { try Text.description($0) }
    )
    url = try Self.link(fields, .url)
    name = try nested.map { try Text.checked($0.name, field: "img.name") } ?? flat.name
    desc = try nested.map { try Text.description($0.desc ?? "", field: "img.desc") } ?? flat.desc
    sha256 = try fields.decodeIfPresent(String.self, forKey: .sha256)?.lowercased()
    if let sha256, sha256.utf8.count != 64 || !sha256.allSatisfy(\.isHexDigit) {
      throw ServiceError.invalid("sha256", "must be 64 hexadecimal digits.")
    }
    checksums = try Self.link(fields, .checksums)
    arch = try fields.decodeIfPresent(String.self, forKey: .arch)
    if let arch, !Architecture.known.contains(arch) {
      throw ServiceError.invalid("arch", "must be one of \(Architecture.known.joined(separator: ", ")).")
    }
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
    try fields.encodeIfPresent(arch, forKey: .arch)
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
    desc = try fields.decodeIfPresent(String.self, forKey: .desc).map { try Text.description($0) }
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
