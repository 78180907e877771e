import CLibvirt

/// A version of libvirt or of a hypervisor.
public struct LibvirtVersion: Hashable, Comparable, Sendable, CustomStringConvertible {
  public let major: UInt
  public let minor: UInt
  public let release: UInt

  /// - Parameter packed: major × 1,000,000 + minor × 1,000 + release, as libvirt gives it.
  public init(packed: UInt) {
    major = packed / 1_000_000
    minor = packed / 1000 % 1000
    release = packed % 1000
  }

  /// Such as `9.0.0`.
  public var description: String { "\(major).\(minor).\(release)" }

  public static func < (left: Self, right: Self) -> Bool {
    (left.major, left.minor, left.release) < (right.major, right.minor, right.release)
  }
}

/// The hardware of the machine. See https://libvirt.org/html/libvirt-libvirt-host.html#virNodeInfo.
public struct NodeInfo: Equatable, Sendable {
  /// The model of its processors, such as `x86_64`.
  public let model: String
  /// All of its memory, in KiB.
  public let memoryKiB: UInt64
  /// Logical processors that are on.
  public let cpus: UInt32
  /// The nominal frequency of a processor, 0 when unknown.
  public let mhz: UInt32
  /// NUMA nodes, 1 when their topology is unusual.
  public let nodes: UInt32
  /// Sockets per NUMA node.
  public let sockets: UInt32
  /// Cores per socket.
  public let cores: UInt32
  /// Threads per core.
  public let threads: UInt32

  init(_ info: virNodeInfo) {
    model = text(of: info.model)
    memoryKiB = UInt64(info.memory)
    (cpus, mhz) = (info.cpus, info.mhz)
    (nodes, sockets, cores, threads) = (info.nodes, info.sockets, info.cores, info.threads)
  }
}

extension LibvirtConnection {
  /// The host's own name. See https://libvirt.org/html/libvirt-libvirt-host.html#virConnectGetHostname.
  public func hostname() throws(LibvirtError) -> String {
    try withConnection { (connection) throws(LibvirtError) in
      takeString(try check(virConnectGetHostname(connection)))
    }
  }

  /// The version of the daemon's libvirt. See https://libvirt.org/html/libvirt-libvirt-host.html#virConnectGetLibVersion.
  public func libraryVersion() throws(LibvirtError) -> LibvirtVersion {
    try version(virConnectGetLibVersion)
  }

  /// The hypervisor's version. See https://libvirt.org/html/libvirt-libvirt-host.html#virConnectGetVersion.
  public func hypervisorVersion() throws(LibvirtError) -> LibvirtVersion {
    try version(virConnectGetVersion)
  }

  /// What the host and its hypervisors can do, https://libvirt.org/formatcaps.html.
  public func capabilitiesXML() throws(LibvirtError) -> String {
    try withConnection { (connection) throws(LibvirtError) in
      takeString(try check(virConnectGetCapabilities(connection)))
    }
  }

  /// What a domain can have with the default emulator, architecture and machine,
  /// https://libvirt.org/formatdomaincaps.html.
  /// - Parameter virtType: The kind of domain, such as `kvm` or `qemu`; what the host cannot run is refused as
  ///   ``LibvirtError/Code/invalidArgument``.
  public func domainCapabilitiesXML(virtType: String) throws(LibvirtError) -> String {
    try withConnection { (connection) throws(LibvirtError) in
      takeString(try check(virConnectGetDomainCapabilities(connection, nil, nil, nil, try refusingNUL(virtType), 0)))
    }
  }

  /// The hardware of the machine. See https://libvirt.org/html/libvirt-libvirt-host.html#virNodeGetInfo.
  public func nodeInfo() throws(LibvirtError) -> NodeInfo {
    try withConnection { (connection) throws(LibvirtError) in
      var info = virNodeInfo()
      try check(virNodeGetInfo(connection, &info))
      return NodeInfo(info)
    }
  }

  /// The memory that is free now, in bytes; caches count as used.
  /// See https://libvirt.org/html/libvirt-libvirt-host.html#virNodeGetFreeMemory.
  public func freeMemoryBytes() throws(LibvirtError) -> UInt64 {
    try withConnection { (connection) throws(LibvirtError) in
      let bytes = virNodeGetFreeMemory(connection)
      guard bytes > 0 else { throw .last() }
      return bytes
    }
  }

  private func version(
    _ read: (OpaquePointer, UnsafeMutablePointer<UInt>) -> Int32
  ) throws(LibvirtError) -> LibvirtVersion {
    try withConnection { (connection) throws(LibvirtError) in
      var packed: UInt = 0
      try check(read(connection, &packed))
      return LibvirtVersion(packed: packed)
    }
  }
}
