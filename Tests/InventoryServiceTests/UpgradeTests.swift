import Foundation
import Models
import Postgres
import TestSupport
import Testing

@testable import InventoryService

/// A database of any earlier version is brought forward with what it has.
@Suite(.timeLimit(.minutes(5))) struct UpgradeTests {
  private static let ana = UUID()
  private static let ben = UUID()
  private static let host = UUID()
  private static let image = UUID()
  private static let vm = UUID()

  /// What an installation had from its first version on.
  private static let content = """
    INSERT INTO inventory.installation (id) VALUES ('\(UUID())');
    INSERT INTO inventory.hosts (id, addr, agent_user, certificate, fingerprint, sealed_secret, hypervisor,
        virtualisation, arch, boot_id, cpus, mem, disk, cpus_allocated, mem_allocated, disk_allocated, last_report_at)
      VALUES ('\(host)', 'hv1:7443', 'agent', 'c', 'f', 's', 'QEMU', 'kvm', 'x86_64', 'b', 8, 16384, 500, 2, 512, 20,
        now());
    INSERT INTO inventory.images (id, owner, name, description, url, state, size, virtual_size, sha256)
      VALUES ('\(image)', '\(ana)', 'debian', 'twelve', 'http://x/', 'available', 1000, 2000, '\(hash)');
    INSERT INTO inventory.vms (id, owner, name, image, host, mem, vcpus, disk, ssh_keys, desired, generation, state,
        observed_generation, observed_at, addresses, started_at)
      VALUES ('\(vm)', '\(ana)', 'web', '\(image)', '\(host)', 512, 2, 20, '[]', 'running', 3, 'running', 3, now(),
        '[]', now());
    INSERT INTO inventory.permissions (user_id, resource, type, role) VALUES ('\(ana)', '\(image)', 'image', 'owner'),
      ('\(ana)', '\(vm)', 'vm', 'owner'), ('\(ben)', '\(vm)', 'vm', 'viewer');
    INSERT INTO inventory.operations (id, kind, resource, owner, status, deadline_at)
      VALUES ('\(UUID())', 'vm_stop', '\(vm)', '\(ana)', 'pending', now() + interval '1 hour');
    """
  private static let hash = String(repeating: "a", count: 64)

  @Test(arguments: 1..<inventoryMigrator.migrations.count) func keepsWhatThereIs(version: Int) async throws {
    let earlier = Migrator(schema: "inventory", migrations: Array(inventoryMigrator.migrations.prefix(version)))
    try await TestDatabase.with(earlier) { pool, _ in
      try await pool.withConnection { try $0.executeScript(Self.content) }
      let applied = try await inventoryMigrator.apply(with: pool)
      #expect(applied == inventoryMigrator.migrations.dropFirst(version).map(\.name))

      let vm = try #require(try await VMStore(pool: pool).get(VMID(Self.vm), Self.caller(Self.ben)))
      #expect(vm.name == "web" && vm.state == .running && vm.mem == 512 && vm.vcpus == 2 && vm.disk == 20)
      let images = ImageStore(pool: pool, leaseSeconds: 15)
      let image = try #require(try await images.get(ImageID(Self.image), Self.caller(Self.ana)))
      #expect(image.name == "debian" && image.state == .available && image.sha256 == Self.hash)
      let claim = try await OperationStore(pool: pool, leaseSeconds: 15).claim()
      #expect(claim?.resource.uuid == Self.vm)
      let promised = try await pool.first("SELECT mem_allocated FROM inventory.hosts") {
        try $0("mem_allocated", as: Int64.self)
      }
      #expect(promised == 512)
    }
  }

  private static func caller(_ user: UUID) -> Caller { Caller(user: UserID(user), admin: false) }
}
