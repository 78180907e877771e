import CLibvirt
import Foundation

/// The QEMU guest agent, https://www.qemu.org/docs/master/interop/qemu-ga-ref.html.
///
/// It is a program of the guest's, and whoever owns the guest may have replaced it: nothing it says is to be relied on.
/// A call blocks the connection until the agent answers or its time is up, and up to 5 s more, which libvirt takes to find
/// out whether it is there: a connection of its own keeps a silent guest from holding up what concerns the others.
extension LibvirtConnection {
  /// Has the agent carry out a command, whose answer is an object with the member `return`.
  ///
  /// Throws ``LibvirtError/Code/agentUnresponsive`` or ``LibvirtError/Code/agentCommandTimeout`` when the agent is not there
  /// or does not answer in time, ``LibvirtError/Code/agentCommandFailed`` when it fails the command, does not know it, or
  /// answers nonsense, ``LibvirtError/Code/argumentUnsupported`` when the domain has no channel for it,
  /// ``LibvirtError/Code/operationInvalid`` when the domain does not run, ``LibvirtError/Code/noDomain`` when there is none.
  /// See https://libvirt.org/html/libvirt-libvirt-qemu.html#virDomainQemuAgentCommand.
  /// - Parameters:
  ///   - json: The command, such as `{"execute":"guest-ping"}`.
  ///   - timeoutSeconds: How long to wait for the answer, at least 1.
  public func guestAgentCommand(
    _ json: String, of uuid: UUID, timeoutSeconds: Int32
  ) throws(LibvirtError) -> String {
    let json = try refusingNUL(json)
    guard timeoutSeconds > 0 else { throw .refused(.invalidArgument, "the agent needs time to answer") }
    return try withDomain(uuid) { (domain) throws(LibvirtError) in
      try askingAgent(of: domain) { () throws(LibvirtError) in
        takeString(try check(virDomainQemuAgentCommand(domain, json, timeoutSeconds, 0)))
      }
    }
  }

  /// Whether the agent answers a ping in time; false as well when the domain has no channel for one.
  ///
  /// Throws ``LibvirtError/Code/operationInvalid`` when the domain does not run, ``LibvirtError/Code/noDomain`` when there is
  /// none.
  public func guestAgentAnswers(of uuid: UUID, timeoutSeconds: Int32) throws(LibvirtError) -> Bool {
    do throws(LibvirtError) {
      _ = try guestAgentCommand(AgentCommand.ping, of: uuid, timeoutSeconds: timeoutSeconds)
      return true
    } catch {
      guard LibvirtError.Code.agentFailures.contains(error.code) else { throw error }
      return false
    }
  }
}

extension LibvirtError.Code {
  /// What says that an agent is missing, silent or talking nonsense.
  static let agentFailures: Set<Self> = [
    .agentUnresponsive, .agentUnsynced, .agentCommandTimeout, .agentCommandFailed, .argumentUnsupported,
  ]
}

/// Runs a call that the guest agent answers, and gives what the agent failed one code: libvirt reports it as an error inside
/// itself (before 11.2), an answer too long to pass on even as a failure of a connection that stands.
func askingAgent<Result>(
  of domain: OpaquePointer, _ body: () throws(LibvirtError) -> Result
) throws(LibvirtError) -> Result {
  do throws(LibvirtError) {
    return try body()
  } catch {
    let mayBeAgents: [LibvirtError.Code] = [.internalError, .systemError, .rpc]
    guard mayBeAgents.contains(error.code), virConnectIsAlive(virDomainGetConnect(domain)) == 1 else { throw error }
    throw LibvirtError(code: .agentCommandFailed, domain: error.domain, message: error.message)
  }
}

/// Limits how long libvirt waits for the agent of a running domain in calls that take no time limit; without it, for ever.
/// A driver that has no such limit is let be.
/// See https://libvirt.org/html/libvirt-libvirt-domain.html#virDomainAgentSetResponseTimeout.
func limitAgent(of domain: OpaquePointer, seconds: Int32) throws(LibvirtError) {
  guard seconds > 0 else { throw .refused(.invalidArgument, "the agent needs time to answer") }
  do throws(LibvirtError) {
    try check(virDomainAgentSetResponseTimeout(domain, seconds, 0))
  } catch {
    guard error.code == .noSupport else { throw error }
  }
}
