import Clients
import Foundation
import Models
import NIOCore
import Postgres
import TestSupport
import Testing

@testable import InventoryService

/// Two replicas with one database and one image store, of which one is killed in the middle of everything, again and
/// again.
@Suite(.serialized, .timeLimit(.minutes(10))) struct CrashTests {
  private let ana = CallOrigin(requestID: "t", caller: Caller(user: .make(), admin: false))
  private let disk = rawDisk(sectors: 16_384)

  /// The steps at which the victim dies: of an import, and of an upload.
  private static let steps = ["downloading", "checking", "converting", nil]

  @Test func twentyKillsLeaveNeitherHalfImagesNorOrphans() async throws {
    try await TestDatabase.with(inventoryMigrator) { pool, conninfo in
      try await TestEnvironment.withFolder { folder in
        chmod(folder, 0o711)
        let disk = disk
        try await ScriptedServer.with({ request in
          // Slowly, so that there is something to interrupt.
          let steps = ScriptedServer.file(disk, tag: "\"a\"", to: request)
          guard case .send(let body) = steps[1] else { return steps }
          let pieces = stride(from: 0, to: body.count, by: 1 << 20).map {
            Array(body[$0..<min($0 + (1 << 20), body.count)])
          }
          return [steps[0]] + pieces.flatMap { [.send($0), .pause(.milliseconds(20))] }
        }) { server in
          let replicas = [
            try await InventoryProcess("a", conninfo: conninfo, folder: folder),
            try await InventoryProcess("b", conninfo: conninfo, folder: folder),
          ]
          defer { for replica in replicas { replica.kill() } }
          let store = try ImageFiles(folder: "\(folder)/images", reserve: 0)
          var removable: ImageID?
          for round in 0..<20 {
            removable = try await interrupt(
              replicas[round % 2], helper: replicas[(round + 1) % 2], round, url: server.url, removing: removable, pool,
              store)
            try await checkInvariants(pool, store)
          }
          let interrupted = try await pool.first(
            "SELECT count(*) AS n FROM inventory.operations WHERE attempts > 1"
          ) { try $0("n", as: Int.self) }
          // Otherwise nothing was shown: the kills came when nothing was held.
          #expect(interrupted ?? 0 >= 10, "\(interrupted ?? 0)")
          try await eventually("what nobody needs is gone", within: .seconds(40)) {
            let needed = try await available(pool)
            return try FileManager.default.contentsOfDirectory(atPath: store.staging).isEmpty && onDisk(store) == needed
          }
        }
      }
    }
  }

  /// Starts an import, an upload and a removal, kills the replica in the middle, and waits until all is settled.
  /// - Returns: An image to remove in the next round.
  private func interrupt(
    _ victim: InventoryProcess, helper: InventoryProcess, _ round: Int, url: String, removing: ImageID?,
    _ pool: PostgresPool, _ store: ImageFiles
  ) async throws -> ImageID {
    let imported = try await victim.client.add(
      NewImage(url: url + "/disk.raw", name: "import", desc: ""), ana
    ).resource.id
    let uploaded = try await victim.client.add(NewImage(url: nil, name: "upload", desc: ""), ana).resource.id
    let (client, body, ana) = (victim.client, slowBody(), ana)
    let upload = Task { try await client.upload(uploaded, body, length: Int64(disk.count), ana) }
    let removal = Task { if let removing { try await client.removeImage(removing, ana) } }
    let watched = round % 4 < 2 ? imported : uploaded
    try await reach(Self.steps[round / 2 % 4], of: watched, pool)
    victim.kill()
    let acknowledged = (received: (try? await upload.value) != nil, removed: (try? await removal.value) != nil)
    try await victim.start()
    try await eventually("everything has ended", within: .seconds(40)) {
      let left = try await pool.first(
        "SELECT count(*) AS n FROM inventory.operations WHERE status IN ('pending', 'running')"
      ) { try $0("n", as: Int.self) }
      return left == 0
    }
    // What was acknowledged has happened, by whoever was left; what was not may be asked for again.
    let made = try await helper.client.image(imported, ana)
    #expect(made.state == .available, "round \(round): \(made)")
    let sent = try await helper.client.image(uploaded, ana)
    #expect(sent.state == (acknowledged.received ? .available : .importing) || sent.state == .available, "\(sent)")
    if let removing {
      let isThere = (try? await helper.client.image(removing, ana)) != nil
      #expect(!(acknowledged.removed && isThere))
      if isThere { try await helper.client.removeImage(removing, ana) }
    }
    try await helper.client.removeImage(uploaded, ana)
    return imported
  }

  private func slowBody() -> AsyncStream<ByteBuffer> {
    let disk = disk
    return AsyncStream { continuation in
      Task {
        for start in stride(from: 0, to: disk.count, by: 1 << 20) {
          continuation.yield(ByteBuffer(bytes: disk[start..<min(start + (1 << 20), disk.count)]))
          try? await Task.sleep(for: .milliseconds(20))
        }
        continuation.finish()
      }
    }
  }

  /// Waits until the work on an image is at a step; without a step, a moment, at random.
  private func reach(_ step: String?, of image: ImageID, _ pool: PostgresPool) async throws {
    guard let step else { return try await Task.sleep(for: .milliseconds(.random(in: 0...500))) }
    let end = ContinuousClock.now + .seconds(5)
    while ContinuousClock.now < end {
      let found = try await pool.first(
        "SELECT coalesce(step, '') AS step FROM inventory.operations WHERE resource = \(image.uuid)"
      ) { try $0("step", as: String.self) }
      // An upload has no step called downloading: its first bytes do as well.
      if found == step || (found == "" && step == "downloading") || found == "done" { return }
      try await Task.sleep(for: .milliseconds(2))
    }
  }

  /// What the catalogue calls available has its file, whole; what it does not has none, or is being placed.
  private func checkInvariants(_ pool: PostgresPool, _ store: ImageFiles) async throws {
    let rows = try await pool.rows(
      "SELECT id, size, sha256 FROM inventory.images WHERE state = 'available' AND deleted_at IS NULL"
    ) { row in
      (id: ImageID(try row("id", as: UUID.self)), size: try row("size", as: Int64.self))
    }
    for row in rows {
      let size = try FileManager.default.attributesOfItem(atPath: store.file(of: row.id))[.size] as? Int64
      #expect(size == row.size)
      try await Shell.run("qemu-img", "check", "-q", "-f", "qcow2", store.file(of: row.id))
    }
  }

  private func available(_ pool: PostgresPool) async throws -> Set<String> {
    Set(
      try await pool.rows("SELECT id FROM inventory.images WHERE state = 'available'") {
        "\(ImageID(try $0("id", as: UUID.self))).qcow2"
      })
  }

  private func onDisk(_ store: ImageFiles) throws -> Set<String> {
    Set(try FileManager.default.contentsOfDirectory(atPath: store.folder).filter { $0 != "staging" })
  }
}
