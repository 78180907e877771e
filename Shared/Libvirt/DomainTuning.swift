import CLibvirt
import Foundation

/// What a running domain may use at most. Each call takes effect at once, and holds until the domain ends.
///
/// All throw ``LibvirtError/Code/operationInvalid`` when the domain is off, and whatever the driver says when the host lacks
/// what it does this with.
extension LibvirtConnection {
  /// The processor time that each of the domain's vCPUs may use.
  /// See https://libvirt.org/html/libvirt-libvirt-domain.html#virDomainSetSchedulerParametersFlags.
  /// - Parameter percent: Of one processor's; nil for all of it.
  public func capProcessors(of uuid: UUID, percent: Int?) throws(LibvirtError) {
    let period: UInt64 = 100_000
    try withDomain(uuid) { (domain) throws(LibvirtError) in
      try withParameters { (parameters) throws(LibvirtError) in
        try parameters.add(VIR_DOMAIN_SCHEDULER_VCPU_PERIOD, period)
        // A negative one is none.
        try parameters.add(VIR_DOMAIN_SCHEDULER_VCPU_QUOTA, percent.map { Int64(period) * Int64($0) / 100 } ?? -1)
        _ = try check(
          virDomainSetSchedulerParametersFlags(domain, parameters.list, parameters.count, Self.live))
      }
    }
  }

  /// What the domain may read from and write to a disk, together.
  /// See https://libvirt.org/html/libvirt-libvirt-domain.html#virDomainSetBlockIoTune.
  /// - Parameters:
  ///   - disk: The name of its target, such as `vda`.
  ///   - bytes: A second; nil for no cap.
  ///   - operations: A second; nil for no cap.
  public func capDisk(
    _ disk: String, of uuid: UUID, bytes: UInt64?, operations: UInt64?
  ) throws(LibvirtError) {
    try withDomain(uuid) { (domain) throws(LibvirtError) in
      try withParameters { (parameters) throws(LibvirtError) in
        try parameters.add(VIR_DOMAIN_BLOCK_IOTUNE_TOTAL_BYTES_SEC, bytes ?? 0)
        try parameters.add(VIR_DOMAIN_BLOCK_IOTUNE_TOTAL_IOPS_SEC, operations ?? 0)
        _ = try check(virDomainSetBlockIoTune(domain, disk, parameters.list, parameters.count, Self.live))
      }
    }
  }

  /// What the domain may send, and may receive, by an interface.
  /// See https://libvirt.org/html/libvirt-libvirt-domain.html#virDomainSetInterfaceParameters.
  /// - Parameters:
  ///   - interface: Its hardware address.
  ///   - kibibytes: A second, in each direction; nil for no cap.
  public func capInterface(_ interface: String, of uuid: UUID, kibibytes: UInt32?) throws(LibvirtError) {
    try withDomain(uuid) { (domain) throws(LibvirtError) in
      try withParameters { (parameters) throws(LibvirtError) in
        try parameters.add(VIR_DOMAIN_BANDWIDTH_IN_AVERAGE, kibibytes ?? 0)
        try parameters.add(VIR_DOMAIN_BANDWIDTH_OUT_AVERAGE, kibibytes ?? 0)
        _ = try check(
          virDomainSetInterfaceParameters(domain, interface, parameters.list, parameters.count, Self.live))
      }
    }
  }

  private static var live: UInt32 { VIR_DOMAIN_AFFECT_LIVE.rawValue }

  private func withParameters(
    _ body: (inout ParameterList) throws(LibvirtError) -> Void
  ) throws(LibvirtError) {
    var parameters = ParameterList()
    defer { virTypedParamsFree(parameters.list, parameters.count) }
    try body(&parameters)
  }
}

/// Typed parameters on their way to libvirt; whoever made the list frees it.
/// See https://libvirt.org/html/libvirt-libvirt-common.html#virTypedParamsAddULLong.
private struct ParameterList {
  var list: virTypedParameterPtr?
  var count: Int32 = 0
  private var room: Int32 = 0

  init() {}

  mutating func add(_ name: String, _ value: UInt64) throws(LibvirtError) {
    _ = try check(virTypedParamsAddULLong(&list, &count, &room, name, value))
  }

  mutating func add(_ name: String, _ value: Int64) throws(LibvirtError) {
    _ = try check(virTypedParamsAddLLong(&list, &count, &room, name, value))
  }

  mutating func add(_ name: String, _ value: UInt32) throws(LibvirtError) {
    _ = try check(virTypedParamsAddUInt(&list, &count, &room, name, value))
  }
}
