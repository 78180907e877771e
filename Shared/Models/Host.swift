import Foundation

/// What a host can be used for. `maintenance`, `dead` and `removing` are an administrator's word.
public enum HostState: String, Codable, Sendable, CaseIterable {
  case up
  /// It has not answered for a while; what runs on it is not known.
  case unreachable
  /// Nothing new is placed on it.
  case maintenance
  /// It will not come back as it was: its VMs may be made anew elsewhere.
  case dead
  /// It leaves the installation when its VMs are removed.
  case removing
}

/// How guests run on a host: by the CPU's own extensions, or by QEMU's emulation.
public enum Virtualisation: String, Codable, Sendable, CaseIterable { case kvm, emulated }

/// How much of a host placement promises, as a multiple of what the host has.
public struct Overcommit: Codable, Sendable, Equatable {
  public var cpus: Double
  public var mem: Double
  public var disk: Double

  public init(cpus: Double, mem: Double, disk: Double) {
    self.cpus = cpus
    self.mem = mem
    self.disk = disk
  }
}

/// A VM of ours that was found on a host where the inventory knows none: it was stopped and is kept.
public struct QuarantinedVM: Codable, Sendable, Equatable {
  public var id: VMID
  public var owner: UserID
  public var since: Date

  public init(id: VMID, owner: UserID, since: Date) {
    self.id = id
    self.owner = owner
    self.since = since
  }
}

/// A hypervisor host. Members that only administrators see are nil for everyone else.
public struct Host: Codable, Sendable, Equatable {
  public var id: HostID
  public var addr: String?
  public var user: String?
  public var state: HostState
  /// A sentence on why it is in that state, where there is something to say.
  public var reason: String?
  public var hostname: String?
  public var hypervisor: String?
  public var virtualisation: Virtualisation?
  public var cpuModel: String?
  public var agentVersion: String?
  public var arch: String
  /// Logical CPUs, and how many virtual ones are promised to VMs.
  public var cpus: Int?
  public var cpusAllocated: Int?
  /// Memory in MiB.
  public var mem: Int?
  public var memAllocated: Int?
  /// Disk in GiB.
  public var disk: Int?
  public var diskAllocated: Int?
  public var overcommit: Overcommit?
  /// What placement may still give away, in MiB and GiB.
  public var memFree: Int
  public var diskFree: Int
  /// SHA-256 of the DER form of the agent's certificate, in hexadecimal.
  public var fingerprint: String?
  /// VMs that nobody knows and that were put aside; nil when there are none.
  public var quarantined: [QuarantinedVM]?
  public var lastReportAt: Date?
  public var createdAt: Date

  public init(
    id: HostID, addr: String?, user: String?, state: HostState, reason: String? = nil, hostname: String? = nil,
    hypervisor: String?, virtualisation: Virtualisation?, cpuModel: String? = nil, agentVersion: String? = nil,
    arch: String, cpus: Int?, cpusAllocated: Int?, mem: Int?, memAllocated: Int?, disk: Int?, diskAllocated: Int?,
    overcommit: Overcommit? = nil, memFree: Int, diskFree: Int, fingerprint: String?,
    quarantined: [QuarantinedVM]? = nil, lastReportAt: Date? = nil, createdAt: Date
  ) {
    self.id = id
    self.addr = addr
    self.user = user
    self.state = state
    self.reason = reason
    self.hostname = hostname
    self.hypervisor = hypervisor
    self.virtualisation = virtualisation
    self.cpuModel = cpuModel
    self.agentVersion = agentVersion
    self.arch = arch
    self.cpus = cpus
    self.cpusAllocated = cpusAllocated
    self.mem = mem
    self.memAllocated = memAllocated
    self.disk = disk
    self.diskAllocated = diskAllocated
    self.overcommit = overcommit
    self.memFree = memFree
    self.diskFree = diskFree
    self.fingerprint = fingerprint
    self.quarantined = quarantined
    self.lastReportAt = lastReportAt
    self.createdAt = createdAt
  }
}
