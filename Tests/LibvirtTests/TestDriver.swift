import Foundation
import Libvirt

/// A private, empty node of libvirt's in-process driver, https://libvirt.org/drvtest.html: no daemon, no hypervisor.
///
/// `test:///default` is shared by all connections of the process; a node described by a file is private to each opened
/// connection. A suite holds one of these, so that every test has a fresh one.
final class TestNode: Sendable {
  let uri: String
  let connection: LibvirtConnection
  private let file: URL

  init(_ description: String = "<node/>") {
    file = FileManager.default.temporaryDirectory.appending(path: "libvirt-\(UUID().uuidString).xml")
    _ = FileManager.default.createFile(atPath: file.path, contents: Data(description.utf8))
    uri = "test://\(file.path)"
    connection = LibvirtConnection(uri: uri)
  }

  deinit {
    try? FileManager.default.removeItem(at: file)
  }
}

/// A domain's description that the test driver takes.
func domainXML(_ uuid: UUID, name: String, devices: String = "") -> String {
  """
  <domain type='test'>
    <name>\(name)</name>
    <uuid>\(uuid.uuidString.lowercased())</uuid>
    <memory unit='KiB'>65536</memory>
    <vcpu>2</vcpu>
    <os><type>hvm</type></os>
    <devices>\(devices)</devices>
  </domain>
  """
}

extension LibvirtConnection {
  /// Defines a domain of a fresh UUID.
  func defineAny(name: String = "guest", devices: String = "") throws(LibvirtError) -> UUID {
    try define(xml: domainXML(UUID(), name: name, devices: devices)).uuid
  }
}
