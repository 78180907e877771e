import CLibvirt
import Foundation

/// The guest's file systems, by its agent.
///
/// Both calls throw ``LibvirtError/Code/noDomain`` when there is no such domain, ``LibvirtError/Code/operationInvalid`` when
/// it does not run, ``LibvirtError/Code/agentUnresponsive`` when the agent is not there or does not answer in time,
/// ``LibvirtError/Code/agentCommandFailed`` when it fails, such as at freezing what is frozen, or answers nonsense, and
/// ``LibvirtError/Code/argumentUnsupported`` when the domain has no channel for one.
extension LibvirtConnection {
  /// Has the guest write everything out and hold every further write until ``thawFileSystems(of:timeoutSeconds:)``.
  ///
  /// Thaw whatever came of it: an agent that answers too late may have frozen all the same.
  /// See https://libvirt.org/html/libvirt-libvirt-domain.html#virDomainFSFreeze.
  /// - Parameter timeoutSeconds: How long to wait for the agent, at least 1; up to 5 s more pass before it is asked. Holds from
  ///   now on for everything but commands that the agent of this running domain is asked.
  /// - Returns: The number of file systems, as the guest says.
  public func freezeFileSystems(of uuid: UUID, timeoutSeconds: Int32) throws(LibvirtError) -> Int {
    try ask(uuid, timeoutSeconds) { virDomainFSFreeze($0, nil, 0, 0) }
  }

  /// Lets the guest write again; nothing happens when nothing is frozen.
  /// See https://libvirt.org/html/libvirt-libvirt-domain.html#virDomainFSThaw.
  /// - Parameter timeoutSeconds: As for ``freezeFileSystems(of:timeoutSeconds:)``.
  /// - Returns: The number of file systems, as the guest says.
  public func thawFileSystems(of uuid: UUID, timeoutSeconds: Int32) throws(LibvirtError) -> Int {
    try ask(uuid, timeoutSeconds) { virDomainFSThaw($0, nil, 0, 0) }
  }

  private func ask(
    _ uuid: UUID, _ timeoutSeconds: Int32, _ call: (OpaquePointer) -> Int32
  ) throws(LibvirtError) -> Int {
    try withDomain(uuid) { (domain) throws(LibvirtError) in
      try limitAgent(of: domain, seconds: timeoutSeconds)
      return Int(try askingAgent(of: domain) { () throws(LibvirtError) in try check(call(domain)) })
    }
  }
}
