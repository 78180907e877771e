import Foundation

public enum VMState: String, Codable, Sendable, CaseIterable {
  case creating, stopped, starting, running, paused, stopping, deleting, error, unknown
}

public struct VMAddress: Codable, Sendable, Hashable {
  public var ip: String
  public var mac: String

  public init(ip: String, mac: String) {
    self.ip = ip
    self.mac = mac
  }
}

/// How far a guest has come since its VM was started. `running` is libvirt's word and says nothing of the guest.
public enum ReadinessStage: String, Codable, Sendable, CaseIterable, Comparable {
  /// The domain exists on its host.
  case defined
  /// The guest does something: it writes to its console, or its agent answers.
  case booted
  /// The guest has an address, and asked for it in this run.
  case network
  /// An SSH server greets at that address.
  case ssh
  /// The guest's agent says that cloud-init has ended.
  case cloudInit = "cloud-init"

  public static func < (first: Self, second: Self) -> Bool {
    // A list of five, of which both are members.
    (allCases.firstIndex(of: first) ?? 0) < (allCases.firstIndex(of: second) ?? 0)
  }
}

/// A stage that was reached, when, and by what one knows.
public struct ReadinessStep: Codable, Sendable, Hashable {
  public var stage: ReadinessStage
  public var at: Date
  public var evidence: String

  public init(stage: ReadinessStage, at: Date, evidence: String) {
    self.stage = stage
    self.at = at
    self.evidence = evidence
  }
}

/// How far the guest has come, and by which steps.
public struct Readiness: Codable, Sendable, Equatable {
  /// The highest stage that was reached.
  public var stage: ReadinessStage
  public var steps: [ReadinessStep]

  /// Nil when no stage was reached.
  public init?(steps: [ReadinessStep]) {
    guard let stage = steps.map(\.stage).max() else { return nil }
    self.stage = stage
    self.steps = steps.sorted { $0.stage < $1.stage }
  }
}

/// A virtual machine.
public struct VM: Codable, Sendable, Equatable {
  public var id: VMID
  public var name: String
  public var image: ImageID
  public var host: HostID?
  /// Memory in MiB.
  public var mem: Int
  public var vcpus: Int
  /// Disk in GiB.
  public var disk: Int
  /// VMs of one owner and one group are placed on different hosts.
  public var group: String?
  public var state: VMState
  /// A sentence on why it is in that state, where there is something to say.
  public var reason: String?
  public var readiness: Readiness?
  public var addresses: [VMAddress]
  /// The guest's own SSH host keys in OpenSSH's format, where they could be read from it.
  public var hostKeys: [String]?
  /// What it may use at most, where an administrator said so.
  public var caps: Caps?
  /// Since when it has used nearly all the processor time that it can, without a pause.
  public var busySince: Date?
  public var owner: UserID
  public var createdAt: Date
  public var startedAt: Date?

  public init(
    id: VMID, name: String, image: ImageID, host: HostID?, mem: Int, vcpus: Int, disk: Int, group: String? = nil,
    state: VMState, reason: String?, readiness: Readiness? = nil, addresses: [VMAddress], hostKeys: [String]? = nil,
    caps: Caps? = nil, busySince: Date? = nil, owner: UserID, createdAt: Date, startedAt: Date?
  ) {
    self.id = id
    self.name = name
    self.image = image
    self.host = host
    self.mem = mem
    self.vcpus = vcpus
    self.disk = disk
    self.group = group
    self.state = state
    self.reason = reason
    self.readiness = readiness
    self.addresses = addresses
    self.hostKeys = hostKeys
    self.caps = caps
    self.busySince = busySince
    self.owner = owner
    self.createdAt = createdAt
    self.startedAt = startedAt
  }
}

/// A public key that a person keeps with the installation, to be put into their VMs.
public struct SSHKey: Codable, Sendable, Equatable {
  public var id: SSHKeyID
  public var name: String
  /// In OpenSSH's format.
  public var key: String
  /// As `ssh-keygen -l` shows it.
  public var fingerprint: String
  /// Whether VMs get it whose request names no keys.
  public var isDefault: Bool
  public var createdAt: Date

  private enum CodingKeys: String, CodingKey {
    case id, name, key, fingerprint, createdAt
    case isDefault = "default"
  }

  public init(id: SSHKeyID, name: String, key: String, fingerprint: String, isDefault: Bool, createdAt: Date) {
    self.id = id
    self.name = name
    self.key = key
    self.fingerprint = fingerprint
    self.isDefault = isDefault
    self.createdAt = createdAt
  }
}
