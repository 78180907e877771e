import CLibvirt
import Foundation

/// The job a domain is busy with, such as a backup.
public enum DomainJob: Hashable, Sendable {
  case none
  /// `totalBytes`, an estimate, is 0 as long as nothing is known.
  case active(processedBytes: UInt64, totalBytes: UInt64)
}

/// How a domain's last job ended.
public enum DomainJobOutcome: Hashable, Sendable {
  case completed
  /// With the hypervisor's own words, for the log, if it has any.
  case failed(message: String?)
  case cancelled
}

extension LibvirtConnection {
  /// The job a running domain is busy with.
  ///
  /// Throws ``LibvirtError/Code/noDomain`` when there is no such domain, ``LibvirtError/Code/operationInvalid`` when it does
  /// not run, ``LibvirtError/Code/internalError`` when it ends at this moment.
  /// See https://libvirt.org/html/libvirt-libvirt-domain.html#virDomainGetJobStats.
  public func jobStatus(of uuid: UUID) throws(LibvirtError) -> DomainJob {
    try withDomain(uuid) { (domain) throws(LibvirtError) in try readJob(of: domain) }
  }

  /// How a domain's last job ended; nil when it had none, or that is forgotten: when another backup begins, or the daemon
  /// restarts after the job. Reading does not make it be forgotten, nor does the end of the domain.
  ///
  /// Throws ``LibvirtError/Code/noDomain`` when there is no such domain.
  /// See https://libvirt.org/html/libvirt-libvirt-domain.html#virDomainGetJobStats.
  public func lastJobOutcome(of uuid: UUID) throws(LibvirtError) -> DomainJobOutcome? {
    try withDomain(uuid) { (domain) throws(LibvirtError) in
      let flags = VIR_DOMAIN_JOB_STATS_COMPLETED.rawValue | VIR_DOMAIN_JOB_STATS_KEEP_COMPLETED.rawValue
      return try withJobStatistics(of: domain, flags: flags) { (type, parameters) in
        DomainJobOutcome(type: type, message: TypedParameters.string(VIR_DOMAIN_JOB_ERRMSG, in: parameters))
      }
    }
  }

  /// Cancels the job a domain is busy with; it may go on for a moment.
  ///
  /// Throws ``LibvirtError/Code/noDomain`` when there is no such domain, ``LibvirtError/Code/operationInvalid`` when it does
  /// not run or has no job.
  /// See https://libvirt.org/html/libvirt-libvirt-domain.html#virDomainAbortJob.
  public func abortJob(of uuid: UUID) throws(LibvirtError) {
    try withDomain(uuid) { (domain) throws(LibvirtError) in _ = try check(virDomainAbortJob(domain)) }
  }
}

/// The job a running domain is busy with.
func readJob(of domain: OpaquePointer) throws(LibvirtError) -> DomainJob {
  try withJobStatistics(of: domain, flags: 0) { (type, parameters) in
    DomainJob(type: type, parameters: TypedParameters(copying: parameters))
  }
}

/// Reads what libvirt tells about a domain's job, and frees it.
func withJobStatistics<Result>(
  of domain: OpaquePointer, flags: UInt32, _ body: (Int32, UnsafeBufferPointer<virTypedParameter>) -> Result
) throws(LibvirtError) -> Result {
  var (type, count): (Int32, Int32) = (0, 0)
  var list: UnsafeMutablePointer<virTypedParameter>?
  try check(virDomainGetJobStats(domain, &type, &list, &count, flags))
  // Safe: libvirt allocated the array with `count` parameters, and `body` copies from them before they are freed.
  defer { virTypedParamsFree(list, count) }
  return body(type, UnsafeBufferPointer(start: list, count: Int(count)))
}

extension DomainJob {
  /// - Parameter type: A `virDomainJobType`; one unknown here is a job all the same.
  init(type: Int32, parameters: TypedParameters) {
    guard type != Int32(VIR_DOMAIN_JOB_NONE.rawValue) else {
      self = .none
      return
    }
    let (processed, total) = (VIR_DOMAIN_JOB_DISK_PROCESSED, VIR_DOMAIN_JOB_DISK_TOTAL)
    let (allProcessed, allTotal) = (VIR_DOMAIN_JOB_DATA_PROCESSED, VIR_DOMAIN_JOB_DATA_TOTAL)
    self = .active(
      processedBytes: parameters[allProcessed] ?? parameters[processed] ?? 0,
      totalBytes: parameters[allTotal] ?? parameters[total] ?? 0)
  }
}

extension DomainJobOutcome {
  /// - Parameter type: A `virDomainJobType`.
  init?(type: Int32, message: String?) {
    switch UInt32(bitPattern: type) {
    case VIR_DOMAIN_JOB_COMPLETED.rawValue: self = .completed
    case VIR_DOMAIN_JOB_FAILED.rawValue: self = .failed(message: message)
    case VIR_DOMAIN_JOB_CANCELLED.rawValue: self = .cancelled
    default: return nil
    }
  }
}
