import CLibvirt

/// A call into libvirt that failed. See https://libvirt.org/html/libvirt-virterror.html#virError.
///
/// Decide by ``code``. The message holds paths and names of the machine: it is for the log, never for a client.
public struct LibvirtError: Error, Equatable, Sendable {
  /// What failed.
  public let code: Code
  /// The part of libvirt that raised it, a raw `virErrorDomain`.
  public let domain: Int32
  /// libvirt's own words, for the log.
  public let message: String

  /// An error as libvirt reports it, or as a test invents it.
  public init(code: Code, domain: Int32, message: String) {
    self.code = code
    self.domain = domain
    self.message = message
  }

  /// Whether the connection itself failed, so that whether the call took effect is not known.
  public var isConnectionFailure: Bool {
    let transports = [VIR_FROM_RPC, VIR_FROM_REMOTE].map { Int32($0.rawValue) }
    let failures: [Code] = [.rpc, .systemError, .internalError, .noConnect, .invalidConnection]
    return transports.contains(domain) && failures.contains(code)
  }
}

extension LibvirtError: CustomStringConvertible, CustomDebugStringConvertible {
  /// The code alone; safe to show.
  public var description: String { "libvirt error: \(code)" }

  /// The code, the part of libvirt and its message, for the log.
  public var debugDescription: String { "libvirt error: \(code), from \(domain): \(message)" }
}

extension LibvirtError {
  /// The calling thread's last error, to be read in the same synchronous call as the failure, before anything else of
  /// libvirt is called: https://libvirt.org/html/libvirt-virterror.html#virGetLastError.
  static func last() -> LibvirtError {
    // Safe: the structure belongs to this thread and is copied before any other call of libvirt could change it.
    guard let error = virGetLastError()?.pointee else {
      return LibvirtError(code: .internalError, domain: 0, message: "libvirt failed without an error")
    }
    let message = error.message.map { String(cString: $0) } ?? ""
    return LibvirtError(code: Code(rawValue: error.code), domain: error.domain, message: message)
  }

  /// A call refused here, before libvirt saw it.
  static func refused(_ code: Code, _ message: String) -> LibvirtError {
    LibvirtError(code: code, domain: Int32(VIR_FROM_NONE.rawValue), message: message)
  }
}

/// Passes a status on, unless it is the -1 by which libvirt says that the call failed.
@discardableResult
func check(_ status: Int32) throws(LibvirtError) -> Int32 {
  guard status >= 0 else { throw .last() }
  return status
}

/// Passes a pointer on, unless it is the NULL by which libvirt says that the call failed.
func check<Pointer>(_ pointer: Pointer?) throws(LibvirtError) -> Pointer {
  guard let pointer else { throw .last() }
  return pointer
}
