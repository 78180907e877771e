import Foundation

// What clients send about VMs, checked while it is read, as the rest of the requests is.

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
  /// Keys that are kept with the installation, by id or name. Without either, the default keys are taken.
  public var keys: [String]?
  /// What cloud-init gets as user-data, as it is.
  public var userData: String?
  /// VMs of one owner and one group are placed on different hosts.
  public var group: String?
  public var start: Bool

  /// The longest user-data, in bytes.
  public static let userDataLimit = 64 << 10

  private enum CodingKeys: String, CodingKey, CaseIterable {
    case image, mem, vcpus, disk, name, sshKeys, keys, userData, group, start
  }

  public init(
    image: ImageID, mem: Int?, vcpus: Int?, disk: Int?, name: String?, sshKeys: [String], keys: [String]? = nil,
    userData: String? = nil, group: String? = nil, start: Bool
  ) {
    self.image = image
    self.mem = mem
    self.vcpus = vcpus
    self.disk = disk
    self.name = name
    self.sshKeys = sshKeys
    self.keys = keys
    self.userData = userData
    self.group = group
    self.start = start
  }

  public init(from decoder: any Decoder) throws {
    let fields = try decoder.strictContainer(CodingKeys.self, nullable: [.mem])
    image = try fields.decodeID(.image, "an image")
    mem = try fields.decodeIfPresent(MemoryAmount.self, forKey: .mem)?.mebibytes
    vcpus = try fields.decodeIfPresent(Int.self, forKey: .vcpus)
    disk = try fields.decodeIfPresent(Int.self, forKey: .disk)
    name = try fields.decodeIfPresent(String.self, forKey: .name).map { try HostName.checked($0) }
    // A file's text ends with a line break.
    sshKeys = (try fields.decodeIfPresent([String].self, forKey: .sshKeys) ?? []).map {
      $0.trimmingCharacters(in: .whitespacesAndNewlines)
    }
    keys = try fields.decodeIfPresent([String].self, forKey: .keys)
    userData = try fields.decodeIfPresent(String.self, forKey: .userData)
    group = try fields.decodeIfPresent(String.self, forKey: .group).map {
      try Text.checked($0, field: "group", limit: 64)
    }
    start = try fields.decodeIfPresent(Bool.self, forKey: .start) ?? false
    try VMSize(mem: mem, vcpus: vcpus, disk: disk).check()
    guard sshKeys.count <= 32 else { throw ServiceError.invalid("sshKeys", "must be at most 32 keys.") }
    for key in sshKeys { _ = try Text.checked(key, field: "sshKeys", limit: 16_384) }
    guard keys?.count ?? 0 <= 32 else { throw ServiceError.invalid("keys", "must be at most 32 keys.") }
    if let userData, userData.utf8.count > Self.userDataLimit || userData.contains("\0") {
      throw ServiceError.invalid("userData", "must be at most 64 KiB of text without NUL.")
    }
  }
}

/// What a VM has, as far as it is given.
public struct VMSize: Sendable, Equatable {
  /// MiB.
  public var mem: Int?
  public var vcpus: Int?
  /// GiB.
  public var disk: Int?

  public init(mem: Int?, vcpus: Int?, disk: Int?) {
    self.mem = mem
    self.vcpus = vcpus
    self.disk = disk
  }

  func check() throws {
    try Self.check("mem", mem, in: 16...4_194_304, unit: "MiB")
    try Self.check("vcpus", vcpus, in: 1...256, unit: "virtual CPUs")
    try Self.check("disk", disk, in: 1...65_536, unit: "GiB")
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

/// One change of a VM.
public enum VMChange: Sendable, Equatable {
  case power(PowerRequest)
  case resize(VMSize)
  case rename(String)
  /// A new disk of an image; what was on the old one is lost.
  case rebuild(ImageID)
  case move(HostID)
  /// All of its caps; an administrator's.
  case cap(Caps)
}

/// `PUT /iaas/vms/{vmId}`: one change at a time, of which `mem`, `vcpus` and `disk` are one.
public struct VMUpdate: Codable, Sendable {
  public var change: VMChange

  private enum CodingKeys: String, CodingKey, CaseIterable { case state, mem, vcpus, disk, name, image, host, caps }

  public init(_ change: VMChange) { self.change = change }

  public init(from decoder: any Decoder) throws {
    let fields = try decoder.strictContainer(CodingKeys.self, nullable: [.mem, .caps])
    var changes: [VMChange] = []
    if let text = try fields.decodeIfPresent(String.self, forKey: .state) {
      guard let power = PowerRequest(rawValue: text) else {
        let all = PowerRequest.allCases.map(\.rawValue).joined(separator: ", ")
        throw ServiceError.invalid("state", "must be one of \(all).")
      }
      changes.append(.power(power))
    }
    let size = VMSize(
      mem: try fields.decodeIfPresent(MemoryAmount.self, forKey: .mem)?.mebibytes,
      vcpus: try fields.decodeIfPresent(Int.self, forKey: .vcpus),
      disk: try fields.decodeIfPresent(Int.self, forKey: .disk))
    try size.check()
    if size != VMSize(mem: nil, vcpus: nil, disk: nil) { changes.append(.resize(size)) }
    if let name = try fields.decodeIfPresent(String.self, forKey: .name) {
      changes.append(.rename(try HostName.checked(name)))
    }
    if fields.contains(.image) { changes.append(.rebuild(try fields.decodeID(.image, "an image"))) }
    if fields.contains(.host) { changes.append(.move(try fields.decodeID(.host, "a host"))) }
    if fields.contains(.caps) { changes.append(.cap(try fields.decodeIfPresent(Caps.self, forKey: .caps) ?? .none)) }
    guard let change = changes.first, changes.count == 1 else {
      throw ServiceError(
        .invalidField,
        "Give one change at a time: state; mem, vcpus and disk; name; image, to rebuild; host, to move; or caps.")
    }
    self.change = change
  }

  public func encode(to encoder: any Encoder) throws {
    var fields = encoder.container(keyedBy: CodingKeys.self)
    switch change {
    case .power(let power): try fields.encode(power, forKey: .state)
    case .resize(let size):
      try fields.encodeIfPresent(size.mem, forKey: .mem)
      try fields.encodeIfPresent(size.vcpus, forKey: .vcpus)
      try fields.encodeIfPresent(size.disk, forKey: .disk)
    case .rename(let name): try fields.encode(name, forKey: .name)
    case .rebuild(let image): try fields.encode(image, forKey: .image)
    case .move(let host): try fields.encode(host, forKey: .host)
    case .cap(let caps): try fields.encode(caps, forKey: .caps)
    }
  }
}

/// `POST /iaas/vms/{vmId}/snapshots`: the image that the VM is saved as.
public struct NewSnapshot: Codable, Sendable {
  public var name: String
  public var desc: String

  private enum CodingKeys: String, CodingKey, CaseIterable { case name, desc }

  public init(name: String, desc: String) {
    self.name = name
    self.desc = desc
  }

  public init(from decoder: any Decoder) throws {
    let fields = try decoder.strictContainer(CodingKeys.self, nullable: [.desc])
    name = try Text.checked(fields.decode(String.self, forKey: .name), field: "name")
    desc = try Text.description(fields.decodeIfPresent(String.self, forKey: .desc) ?? "")
  }
}

/// `POST /iaas/keys`.
public struct NewSSHKey: Codable, Sendable {
  public var name: String
  /// In OpenSSH's format; what is behind the key itself is its comment.
  public var key: String
  public var isDefault: Bool

  private enum CodingKeys: String, CodingKey, CaseIterable {
    case name, key
    case isDefault = "default"
  }

  public init(name: String, key: String, isDefault: Bool) {
    self.name = name
    self.key = key
    self.isDefault = isDefault
  }

  public init(from decoder: any Decoder) throws {
    let fields = try decoder.strictContainer(CodingKeys.self)
    name = try Text.checked(fields.decode(String.self, forKey: .name), field: "name", limit: 64)
    let text = try fields.decode(String.self, forKey: .key).trimmingCharacters(in: .whitespacesAndNewlines)
    key = try Text.checked(text, field: "key", limit: 16_384)
    isDefault = try fields.decodeIfPresent(Bool.self, forKey: .isDefault) ?? false
  }
}

/// `PUT /iaas/keys/{keyId}`: what is not given stays as it is.
public struct SSHKeyUpdate: Codable, Sendable {
  public var name: String?
  public var isDefault: Bool?

  private enum CodingKeys: String, CodingKey, CaseIterable {
    case name
    case isDefault = "default"
  }

  public init(name: String?, isDefault: Bool?) {
    self.name = name
    self.isDefault = isDefault
  }

  public init(from decoder: any Decoder) throws {
    let fields = try decoder.strictContainer(CodingKeys.self)
    name = try fields.decodeIfPresent(String.self, forKey: .name).map {
      try Text.checked($0, field: "name", limit: 64)
    }
    isDefault = try fields.decodeIfPresent(Bool.self, forKey: .isDefault)
  }
}

extension KeyedDecodingContainer {
  /// - Throws: `invalid_field` unless the member is the id of such a thing.
  func decodeID<Kind>(_ key: Key, _ what: String) throws -> Identifier<Kind> {
    guard let id = Identifier<Kind>(try decode(String.self, forKey: key)) else {
      throw ServiceError.invalid(key.stringValue, "must be the id of \(what).")
    }
    return id
  }
}
