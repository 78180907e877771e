import CLibvirt
import Foundation

/// What libvirt needs once per process, before the first connection: silence on stderr, and the event loop that
/// delivers events and answers keepalives. See https://libvirt.org/html/libvirt-libvirt-event.html.
enum Runtime {
  private static let failure: LibvirtError? = {
    do throws(LibvirtError) {
      try check(virInitialize())
      virSetErrorFunc(nil, ignoreError)
      try check(virEventRegisterDefaultImpl())
      runEventLoop()
      return nil
    } catch {
      return error
    }
  }()

  /// Starts the event loop if nobody did yet.
  static func start() throws(LibvirtError) {
    if let failure { throw failure }
  }

  private static func runEventLoop() {
    let thread = Thread {
      while true {
        // An iteration that fails would fail again at once: wait, so as not to burn a core.
        if virEventRunDefaultImpl() < 0 { Thread.sleep(forTimeInterval: 0.1) }
      }
    }
    thread.name = "libvirt-events"
    thread.start()
  }
}

/// Without it libvirt prints every error on stderr; each is thrown as a ``LibvirtError`` anyway.
///
/// A function of the file and not a closure: libvirt calls it on threads of its own.
private func ignoreError(_: UnsafeMutableRawPointer?, _: virErrorPtr?) {}
