import Foundation
import Libvirt
import Models
import ServiceKit

@testable import ComputeAgent

/// What most tests of the agent need.
enum Samples {
  static let id = VMID("01a1fc98-f001-7641-8022-230850e971fc") ?? .make()
  static let owner = UserID("01a1fc98-314e-7ae0-83d9-d48082199627") ?? .make()
  static let image = ImageReference(id: .make(), sha256: "", size: 0, url: "")
  static let paths = VMPaths(folder: "/vms/x", consoleSocket: "/run/x.console")
  static let emulated = HostShape(virtualisation: .emulated, arch: "x86_64", network: "default")

  static func spec(
    id: VMID = id, name: String = "demo", power: DesiredPower = .stopped, boot: Int64 = 1, disk: Int = 1,
    diskNumber: Int64 = 1, sshKeys: [String] = [], userData: String? = nil, isForced: Bool = false
  ) -> VMSpec {
    VMSpec(
      id: id, owner: owner, name: name, mem: 512, vcpus: 2, disk: disk, diskNumber: diskNumber, image: image,
      sshKeys: sshKeys, userData: userData, power: power, boot: boot, isForced: isForced)
  }

  static func owned(
    _ state: DomainState, reason: Int32 = 0, _ identity: DomainIdentity? = nil
  ) -> Hypervisor.Owned {
    Hypervisor.Owned(
      domain: Domain(uuid: id.uuid, name: "iaas-\(id)", state: state, reason: reason),
      identity: identity ?? DomainIdentity(owner: owner, generation: 1))
  }

  static func lease(_ address: String, until expiry: Date?, of id: VMID = id) -> DHCPLease {
    DHCPLease(mac: id.mac, address: address, expiry: expiry, hostname: nil)
  }

  /// A domain's description for libvirt's in-process driver, which takes no other type.
  static func testDomain(_ id: VMID, _ identity: DomainIdentity) -> String {
    """
    <domain type='test'><name>iaas-\(id)</name><uuid>\(id)</uuid><memory>1024</memory><os><type>hvm</type></os>
    <metadata>\(identity.qualifiedElement.document())</metadata></domain>
    """
  }

  /// The code of the error that the body throws; nil when it throws none.
  static func code(_ body: () async throws -> Void) async -> ErrorCode? {
    do { try await body() } catch { return ServiceError.of(error).code }
    return nil
  }
}
