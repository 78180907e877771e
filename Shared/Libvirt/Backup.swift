import CLibvirt
import Foundation

extension LibvirtConnection {
  /// Begins to copy a disk of a running domain, as it is at this moment, into a new file: a qcow2 image of its own, without
  /// a backing file, that holds what the disk's own backing files hold too. The guest runs on.
  ///
  /// Returns once the copying has begun; follow it by ``jobStatus(of:)``, and when it is none by ``lastJobOutcome(of:)``. The
  /// file is of use only if the outcome is ``DomainJobOutcome/completed``. Otherwise libvirt removes it, but not when it was
  /// itself interrupted: the caller makes sure of it. Stopping the domain ends the copying.
  ///
  /// Throws ``LibvirtError/Code/noDomain`` when there is no such domain, ``LibvirtError/Code/operationInvalid`` when it does
  /// not run, ``LibvirtError/Code/resourceBusy`` when it is busy with a job already, and
  /// ``LibvirtError/Code/invalidArgument`` when the file exists. Of two who begin at once on connections of their own, one
  /// waits, and then either begins in turn or throws ``LibvirtError/Code/operationTimeout`` after 30 s.
  /// See https://libvirt.org/html/libvirt-libvirt-domain.html#virDomainBackupBegin and
  /// https://libvirt.org/formatbackup.html.
  /// - Parameters:
  ///   - target: The disk's name in the domain's description, such as `vda`.
  ///   - path: The file to make, on the daemon's machine, in a folder that QEMU's account may pass through (mode 0711 will
  ///     do) and the daemon may write to. No file may be there, not even an empty one; libvirt makes it, with mode 0600, and
  ///     as it does with disks lends it to QEMU's account until the end.
  ///   - otherDisks: The names of all other disks, which are left out.
  public func beginBackup(
    of uuid: UUID, disk target: String, to path: String, otherDisks: [String]
  ) throws(LibvirtError) {
    let xml = try refusingNUL(backupXML(disk: target, to: path, otherDisks: otherDisks))
    try withDomain(uuid) { (domain) throws(LibvirtError) in
      guard try readJob(of: domain) == .none else { throw .refused(.resourceBusy, "the domain is busy with a job") }
      try forgetLastJob(of: domain)
      try check(virDomainBackupBegin(domain, xml, nil, 0))
    }
  }

  /// An earlier job's outcome must not be taken for this one's. Reading it without further flags makes libvirt forget it.
  private func forgetLastJob(of domain: OpaquePointer) throws(LibvirtError) {
    try withJobStatistics(of: domain, flags: VIR_DOMAIN_JOB_STATS_COMPLETED.rawValue) { (_, _) in }
  }
}

/// The description of a backup in push mode, where QEMU itself writes the file.
func backupXML(disk target: String, to path: String, otherDisks: [String]) -> String {
  let others = otherDisks.map { "<disk name='\(xmlEscaped($0))' backup='no'/>" }.joined()
  return """
    <domainbackup mode='push'><disks>\
    <disk name='\(xmlEscaped(target))' backup='yes' type='file'>\
    <driver type='qcow2'/><target file='\(xmlEscaped(path))'/></disk>\
    \(others)</disks></domainbackup>
    """
}

/// Text as an attribute's value. Tab and line ends too, which a parser would take for spaces; characters that XML does not
/// have are left, for libvirt to refuse.
private func xmlEscaped(_ text: String) -> String {
  text.unicodeScalars.reduce(into: "") { escaped, scalar in
    switch scalar {
    case "&", "<", ">", "'", "\"", "\t", "\n", "\r": escaped += "&#\(scalar.value);"
    default: escaped.unicodeScalars.append(scalar)
    }
  }
}
