import CLibvirt
import Foundation

/// What a domain has used. A value the driver does not report, or not at the moment, is nil.
///
/// Counters start at 0 with each start of the domain; those of devices are sums over all of its devices.
/// See https://libvirt.org/html/libvirt-libvirt-domain.html#virConnectGetAllDomainStats.
public struct DomainStatistics: Equatable, Sendable {
  public let uuid: UUID
  public let name: String
  /// Another one with each start of the domain; nil while it is off.
  public let id: UInt32?
  /// Its state, `nostate` when not reported.
  public let state: DomainState
  /// Processor time, in nanoseconds, with what the hypervisor itself spent.
  public let cpuTimeNanoseconds: UInt64?
  /// Memory the guest has, in KiB.
  public let balloonCurrentKiB: UInt64?
  /// Memory the hypervisor's process holds, in KiB.
  public let balloonRSSKiB: UInt64?
  /// Memory the guest's system can use at all, in KiB: what the guest has, less what its kernel keeps. This and the next two
  /// are claims of the guest's balloon driver, asked for by the device's `<stats period='…'/>`.
  public let balloonAvailableKiB: UInt64?
  /// Memory the guest leaves entirely unused, in KiB.
  public let balloonUnusedKiB: UInt64?
  /// Memory the guest could give its programs without swapping, in KiB: unused, and caches it can drop.
  public let balloonUsableKiB: UInt64?
  /// Virtual processors it has now.
  public let vcpusCurrent: UInt64?
  /// Virtual processors it could have without a restart.
  public let vcpusMaximum: UInt64?
  public let blockReadBytes: UInt64?
  public let blockWrittenBytes: UInt64?
  /// Bytes into the guest.
  public let netReceivedBytes: UInt64?
  /// Bytes out of the guest.
  public let netSentBytes: UInt64?
}

extension DomainStatistics {
  init(uuid: UUID, name: String, id: UInt32?, parameters: TypedParameters) {
    self.uuid = uuid
    self.name = name
    self.id = id
    state = parameters["state.state"].flatMap(Int32.init(exactly:)).map(DomainState.init(rawValue:)) ?? .nostate
    cpuTimeNanoseconds = parameters["cpu.time"]
    balloonCurrentKiB = parameters["balloon.current"]
    balloonRSSKiB = parameters["balloon.rss"]
    balloonAvailableKiB = parameters["balloon.available"]
    balloonUnusedKiB = parameters["balloon.unused"]
    balloonUsableKiB = parameters["balloon.usable"]
    vcpusCurrent = parameters["vcpu.current"]
    vcpusMaximum = parameters["vcpu.maximum"]
    blockReadBytes = parameters.sum("block", "rd.bytes")
    blockWrittenBytes = parameters.sum("block", "wr.bytes")
    netReceivedBytes = parameters.sum("net", "rx.bytes")
    netSentBytes = parameters.sum("net", "tx.bytes")
  }

  init(copying record: virDomainStatsRecord) throws(LibvirtError) {
    let domain = try check(record.dom)
    // Safe: libvirt filled `nparams` parameters, and all is copied before the record is freed.
    let parameters = UnsafeBufferPointer(start: record.params, count: Int(max(0, record.nparams)))
    // The number that stands for an error stands for a domain that is off, too.
    let id = virDomainGetID(domain)
    try self.init(
      uuid: readUUID { virDomainGetUUID(domain, $0) }, name: String(cString: check(virDomainGetName(domain))),
      id: id == .max ? nil : id, parameters: TypedParameters(copying: parameters))
  }

  /// The groups asked for; a driver leaves out those it does not know.
  static let groups: UInt32 = [
    VIR_DOMAIN_STATS_STATE, VIR_DOMAIN_STATS_CPU_TOTAL, VIR_DOMAIN_STATS_BALLOON, VIR_DOMAIN_STATS_VCPU,
    VIR_DOMAIN_STATS_INTERFACE, VIR_DOMAIN_STATS_BLOCK,
  ].reduce(0) { $0 | $1.rawValue }
}

extension LibvirtConnection {
  /// The statistics of every domain, in one call.
  ///
  /// A domain busy with something else is not waited for: what only its hypervisor process could tell is nil then.
  /// See https://libvirt.org/html/libvirt-libvirt-domain.html#virConnectGetAllDomainStats.
  public func allDomainStatistics() throws(LibvirtError) -> [DomainStatistics] {
    try withConnection { (connection) throws(LibvirtError) in
      var list: UnsafeMutablePointer<virDomainStatsRecordPtr?>?
      let noWait = VIR_CONNECT_GET_ALL_DOMAINS_STATS_NOWAIT.rawValue
      let count = try withFlags(noWait, orElse: 0) { (flags) throws(LibvirtError) in
        try check(virConnectGetAllDomainStats(connection, DomainStatistics.groups, &list, flags))
      }
      defer { virDomainStatsRecordListFree(list) }
      return try copyRecords(UnsafeBufferPointer(start: list, count: Int(count)))
    }
  }

  private func copyRecords(
    _ records: UnsafeBufferPointer<virDomainStatsRecordPtr?>
  ) throws(LibvirtError) -> [DomainStatistics] {
    var statistics: [DomainStatistics] = []
    // Safe: libvirt filled the array with as many records as it returned; the caller frees them after this.
    for case .some(let record) in records {
      statistics.append(try DomainStatistics(copying: record.pointee))
    }
    return statistics
  }
}
