import Foundation

// What the inventory says to an agent, and what it answers.

/// Binds an agent to an installation.
public struct Enrolment: Codable, Sendable {
  public var user: String
  public var password: String
  public var installation: UUIDText
  /// The credential of every later call.
  public var secret: String

  public init(user: String, password: String, installation: UUIDText, secret: String) {
    self.user = user
    self.password = password
    self.installation = installation
    self.secret = secret
  }
}

/// By which an agent tells a command from one that was overtaken. It refuses whatever is lower than it has seen.
public struct Fence: Sendable, Hashable, LosslessStringConvertible {
  /// Rises when an administrator gives up a host.
  public var host: Int64
  /// Rises with every change of the VM that is asked for.
  public var generation: Int64
  /// Rises whenever the work on such a change is taken up.
  public var epoch: Int64

  public static let header = "IaaS-Fence"

  public init(host: Int64, generation: Int64, epoch: Int64) {
    self.host = host
    self.generation = generation
    self.epoch = epoch
  }

  /// Nil unless the text is three numbers with dots between them.
  public init?(_ description: String) {
    let numbers = description.split(separator: ".", omittingEmptySubsequences: false).map { Int64($0) }
    guard numbers.count == 3, let host = numbers[0], let generation = numbers[1], let epoch = numbers[2] else {
      return nil
    }
    self.init(host: host, generation: generation, epoch: epoch)
  }

  public var description: String { "\(host).\(generation).\(epoch)" }

  /// Whether a command of this fence, for the same VM, was overtaken by one of the other.
  public func isOvertaken(by other: Fence) -> Bool {
    (generation, epoch) < (other.generation, other.epoch)
  }
}

/// What a host is.
public struct HostFacts: Codable, Sendable, Equatable {
  public var hostname: String
  public var hypervisor: String
  public var virtualisation: Virtualisation
  public var arch: String
  public var cpuModel: String
  public var cpus: Int
  /// MiB, and GiB of the file system that VM disks are on.
  public var mem: Int
  public var disk: Int
  /// Changes with every boot of the host.
  public var bootID: String
  public var agentVersion: String

  public init(
    hostname: String, hypervisor: String, virtualisation: Virtualisation, arch: String, cpuModel: String = "",
    cpus: Int, mem: Int, disk: Int, bootID: String, agentVersion: String = ""
  ) {
    self.hostname = hostname
    self.hypervisor = hypervisor
    self.virtualisation = virtualisation
    self.arch = arch
    self.cpuModel = cpuModel
    self.cpus = cpus
    self.mem = mem
    self.disk = disk
    self.bootID = bootID
    self.agentVersion = agentVersion
  }
}

/// What a VM's power should be.
public enum DesiredPower: String, Codable, Sendable { case running, paused, stopped }

/// An image as an agent needs to know it.
public struct ImageReference: Codable, Sendable, Equatable {
  public var id: ImageID
  public var sha256: String
  /// Bytes of the file.
  public var size: Int64
  /// Where an agent that does not see the file may fetch it for a while.
  public var url: String

  public init(id: ImageID, sha256: String, size: Int64, url: String) {
    self.id = id
    self.sha256 = sha256
    self.size = size
    self.url = url
  }
}

/// The whole of a VM as the agent should make it; sending it again changes nothing.
public struct VMSpec: Codable, Sendable, Equatable {
  public var id: VMID
  public var owner: UserID
  public var name: String
  public var mem: Int
  public var vcpus: Int
  public var disk: Int
  /// Which disk of the VM this is, from 1; rises with each rebuilding.
  public var diskNumber: Int64
  /// Whether the disk may be made; else it has to be there.
  public var makesDisk: Bool
  public var image: ImageReference
  public var sshKeys: [String]
  public var userData: String?
  public var power: DesiredPower
  /// Which start of the VM this is; a guest that still runs from an earlier one is to be started anew.
  public var boot: Int64
  /// Whether a guest that should end is not asked.
  public var isForced: Bool
  /// What it may use at most, as far as the host can see to that.
  public var caps: Caps?

  public init(
    id: VMID, owner: UserID, name: String, mem: Int, vcpus: Int, disk: Int, diskNumber: Int64 = 1,
    makesDisk: Bool = true, image: ImageReference, sshKeys: [String], userData: String? = nil, power: DesiredPower,
    boot: Int64 = 1, isForced: Bool = false, caps: Caps? = nil
  ) {
    self.caps = caps
    self.id = id
    self.owner = owner
    self.name = name
    self.mem = mem
    self.vcpus = vcpus
    self.disk = disk
    self.diskNumber = diskNumber
    self.makesDisk = makesDisk
    self.image = image
    self.sshKeys = sshKeys
    self.userData = userData
    self.power = power
    self.boot = boot
    self.isForced = isForced
  }
}

/// What libvirt says of a VM.
public enum ObservedPower: String, Codable, Sendable, CaseIterable { case running, paused, stopped, crashed }

/// Why a VM is off or paused, as far as libvirt knows.
public enum PowerCause: String, Codable, Sendable, CaseIterable {
  /// The guest shut down.
  case guest
  /// Somebody on the host took its power, or paused it.
  case hand
  /// The hypervisor's process ended by itself.
  case failure
  /// The guest could not write to its disk.
  case disk
}

public struct VMReport: Codable, Sendable, Equatable {
  public var id: VMID
  public var owner: UserID
  public var generation: Int64
  public var power: ObservedPower
  public var cause: PowerCause?
  /// The last start that was carried out.
  public var boot: Int64
  /// The host's boot in which this was seen.
  public var bootID: String
  public var hasDisk: Bool
  /// Since when it has been put aside, because nobody knows it.
  public var quarantined: Date?
  public var addresses: [VMAddress]
  public var readiness: [ReadinessStep]
  public var hostKeys: [String]
  /// The images that its disk was copied for, and that nobody has fetched yet.
  public var captures: [ImageID]

  public init(
    id: VMID, owner: UserID, generation: Int64, power: ObservedPower, cause: PowerCause? = nil, boot: Int64 = 1,
    bootID: String = "", hasDisk: Bool = true, quarantined: Date? = nil, addresses: [VMAddress] = [],
    readiness: [ReadinessStep] = [], hostKeys: [String] = [], captures: [ImageID] = []
  ) {
    self.id = id
    self.owner = owner
    self.generation = generation
    self.power = power
    self.cause = cause
    self.boot = boot
    self.bootID = bootID
    self.hasDisk = hasDisk
    self.quarantined = quarantined
    self.addresses = addresses
    self.readiness = readiness
    self.hostKeys = hostKeys
    self.captures = captures
  }
}

/// Everything an agent knows: its host, and every domain that carries our metadata.
public struct HostReport: Codable, Sendable {
  public var facts: HostFacts
  /// One run of the agent's process, and the number of the report in it.
  public var run: UUIDText
  public var sequence: Int64
  public var vms: [VMReport]
  /// Folders of VMs for which there is no domain.
  public var remains: [VMID]
  /// The last one; the same in several reports until there is a new one.
  public var metering: Metering?

  public init(
    facts: HostFacts, run: UUIDText = .make(), sequence: Int64 = 1, vms: [VMReport], remains: [VMID] = [],
    metering: Metering? = nil
  ) {
    self.metering = metering
    self.facts = facts
    self.run = run
    self.sequence = sequence
    self.vms = vms
    self.remains = remains
  }
}

/// What a VM has used since its present start. What is not known at the moment is nil.
public struct Meter: Codable, Sendable, Equatable {
  public var vm: VMID
  /// Names the start; the counters begin at 0 with each.
  public var run: String
  /// Processor time in microseconds, with what the hypervisor itself spent for it.
  public var cpuMicroseconds: Int64?
  /// MiB that the guest has, and that it uses where it says so.
  public var mem: Int64?
  public var memUsed: Int64?
  public var diskReadBytes: Int64?
  public var diskWrittenBytes: Int64?
  public var netRxBytes: Int64?
  public var netTxBytes: Int64?

  public init(
    vm: VMID, run: String, cpuMicroseconds: Int64? = nil, mem: Int64? = nil, memUsed: Int64? = nil,
    diskReadBytes: Int64? = nil, diskWrittenBytes: Int64? = nil, netRxBytes: Int64? = nil, netTxBytes: Int64? = nil
  ) {
    self.vm = vm
    self.run = run
    self.cpuMicroseconds = cpuMicroseconds
    self.mem = mem
    self.memUsed = memUsed
    self.diskReadBytes = diskReadBytes
    self.diskWrittenBytes = diskWrittenBytes
    self.netRxBytes = netRxBytes
    self.netTxBytes = netTxBytes
  }
}

/// What all VMs of a host that are on have used, read at one moment.
public struct Metering: Codable, Sendable, Equatable {
  /// Of the host, as in its facts.
  public var bootID: String
  /// Milliseconds since the host's boot, by a clock that nobody sets.
  public var uptime: Int64
  public var meters: [Meter]

  public init(bootID: String, uptime: Int64, meters: [Meter]) {
    self.bootID = bootID
    self.uptime = uptime
    self.meters = meters
  }
}

/// A copy of a VM's disk that is being made, or was.
public struct Capture: Codable, Sendable, Equatable {
  public var isDone: Bool
  /// In what condition the disk was; nil as long as that is not known.
  public var consistency: Consistency?
  /// Whether the guest has to be off for it: it runs, and has no agent that could make it hold still.
  public var needsPowerOff: Bool
  /// Bytes of the copy, as far as it is made.
  public var size: Int64
  public var progress: OperationProgress?

  public init(
    isDone: Bool, consistency: Consistency?, needsPowerOff: Bool = false, size: Int64 = 0,
    progress: OperationProgress? = nil
  ) {
    self.isDone = isDone
    self.consistency = consistency
    self.needsPowerOff = needsPowerOff
    self.size = size
    self.progress = progress
  }
}

/// A VM's disk as its host offers it to another host, for a while.
public struct DiskOffer: Codable, Sendable, Equatable {
  /// Signed; holds for this disk as it is.
  public var url: String
  /// The certificate that the offering agent will show: SHA-256 of its DER form, in hexadecimal.
  public var fingerprint: String
  public var sha256: String
  public var size: Int64

  public init(url: String, fingerprint: String, sha256: String, size: Int64) {
    self.url = url
    self.fingerprint = fingerprint
    self.sha256 = sha256
    self.size = size
  }
}

/// A VM that is to come to a host from another one.
public struct Arrival: Codable, Sendable, Equatable {
  public var spec: VMSpec
  public var offer: DiskOffer

  public init(spec: VMSpec, offer: DiskOffer) {
    self.spec = spec
    self.offer = offer
  }
}
