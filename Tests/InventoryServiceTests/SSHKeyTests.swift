import Foundation
import Models
import Persistence
import Testing

@testable import InventoryService

@Suite(.timeLimit(.minutes(5))) struct SSHKeyTests {
  /// Made by ssh-keygen for this test; its fingerprint is what `ssh-keygen -l` says.
  static let key = """
    ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIFehxdK70E26+/OMVIFAisfiCoHcHR0f0jytgFU75CZC ana@laptop
    """
  private static let fingerprint = "SHA256:z+ukA1blqZNsor0GR6LQio5EWbaYAOYrqlqHy+UwBE0"

  private func keys(_ fixture: InventoryFixture) -> SSHKeys { SSHKeys(store: SSHKeyStore(pool: fixture.pool)) }

  private func add(
    _ name: String, to fixture: InventoryFixture, as caller: Caller, isDefault: Bool = false
  ) async throws -> SSHKey {
    try await keys(fixture).add(NewSSHKey(name: name, key: "\(Self.key)-\(name)", isDefault: isDefault), asking(caller))
  }

  @Test func theFingerprintIsThatOfOpenSSH() throws {
    #expect(try SSHKeys.fingerprint(of: Self.key) == Self.fingerprint)
  }

  @Test(arguments: [
    "", "ssh-ed25519", "ssh-ed25519 !!!",
    "ssh-rsa AAAAC3NzaC1lZDI1NTE5AAAAIFehxdK70E26+/OMVIFAisfiCoHcHR0f0jytgFU75CZC",
    "-----BEGIN OPENSSH PRIVATE KEY-----", "ssh-ed25519 AAAA", "ssh-ed25519 \(String(repeating: "A", count: 9))",
  ])
  func whatIsNoPublicKeyIsRefused(text: String) {
    #expect(throws: ServiceError.self) { try SSHKeys.fingerprint(of: text) }
  }

  @Test func theFirstKeyIsTheDefaultOneAndEveryoneSeesTheirOwn() async throws {
    try await InventoryFixture.with { fixture in
      let first = try await add("a", to: fixture, as: fixture.ana)
      let second = try await add("b", to: fixture, as: fixture.ana)
      #expect(first.isDefault && !second.isDefault)
      #expect(await code { _ = try await add("a", to: fixture, as: fixture.ana) } == .conflict)
      let others = try await keys(fixture).list(fixture.admin).page(ListRequest()).items
      #expect(others.isEmpty)
      #expect(await code { _ = try await keys(fixture).get(first.id, fixture.admin) } == .notFound)
      #expect(await code { try await keys(fixture).remove(first.id, fixture.eve) } == .notFound)
      try await keys(fixture).remove(first.id, fixture.ana)
      let left = try await keys(fixture).list(fixture.ana).page(ListRequest()).items
      #expect(left.map(\.id) == [second.id])
    }
  }

  @Test func vmsGetTheKeysThatTheyNameOrTheDefaultOnes() async throws {
    try await InventoryFixture.with { fixture in
      let a = try await add("a", to: fixture, as: fixture.ana)
      let b = try await add("b", to: fixture, as: fixture.ana)
      func keys(_ request: NewVM) async throws -> [String]? {
        let vm = try await fixture.add(request).id
        let keys = try await fixture.intents.intent(vm)?.spec.sshKeys
        try await fixture.settle(.stopped)
        return keys
      }
      func request(_ keys: [String]?, _ own: [String] = []) -> NewVM {
        NewVM(image: fixture.image, mem: 64, vcpus: 1, disk: nil, name: nil, sshKeys: own, keys: keys, start: false)
      }
      #expect(try await keys(request(nil)) == [a.key])
      #expect(try await keys(request(nil, ["mine"])) == ["mine"])
      #expect(try await keys(request([])) == [])
      #expect(try await keys(request(["b", a.id.description], ["mine"])) == ["mine", b.key, a.key])
      #expect(await code { _ = try await fixture.add(request(["c"])) } == .invalidField)
    }
  }
}
