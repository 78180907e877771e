import Foundation
import Models
import Persistence
import Postgres
import ServiceKit
import TestSupport
import Testing

@testable import InventoryService

/// An inventory's database and image store, and imports carried out one at a time.
struct ImportFixture: Sendable {
  let store: InventoryFixture
  let files: ImageFiles
  let importer: ImageImport
  let images: Images
  let upload: ImageUpload
  let sweeper: ImageSweeper

  static let mebibyte: Int64 = 1 << 20

  /// - Parameters:
  ///   - limits: Of files and disks.
  ///   - free: What the file system has free, instead of asking it.
  ///   - resolver: Instead of the system's.
  static func with(
    limits: ImportLimits = ImportLimits(file: 64 * mebibyte, disk: 1 << 30),
    free: @escaping @Sendable (String) throws -> Int64 = Files.freeSpace(at:),
    allowed: [String] = ["127.0.0.1/32"], resolver: (@Sendable (String) async -> [IPAddress])? = nil,
    patience: DownloadPatience = DownloadPatience(stallSeconds: 10, minimumRate: 1024, attempts: 3, pause: .zero),
    _ body: (ImportFixture) async throws -> Void
  ) async throws {
    try await InventoryFixture.with { store in
      try await TestEnvironment.withFolder { folder in
        // The sandbox's user must be able to pass.
        chmod(folder, 0o711)
        let policy = try AddressPolicy(allowed: allowed, resolver: resolver)
        let files = try ImageFiles(folder: folder, reserve: 1, free: free)
        let imports = ImageImportStore(pool: store.pool)
        try await body(
          ImportFixture(
            store: store, files: files,
            importer: ImageImport(
              store: imports, operations: store.operations, files: files,
              download: ImageDownload(policy: policy, patience: patience), hosts: store.agents, limits: limits),
            images: Images(store: store.images, policy: policy, files: files, catalogue: try WellKnownImages()),
            upload: ImageUpload(
              store: store.images, imports: imports, operations: store.operations, files: files, limits: limits),
            sweeper: ImageSweeper(
              store: imports, shares: store.shares, files: files, logger: .init(label: "test"))))
      }
    }
  }

  /// Adds an image as ana, and carries the import out.
  /// - Returns: The image as it is then.
  func importing(_ url: String, sha256: String? = nil, checksums: String? = nil) async throws -> Image {
    let request = NewImage(url: url, name: "i", desc: "", sha256: sha256, checksums: checksums)
    return try await carryOut(try await images.add(request, asking(store.ana)).resource.id)
  }

  /// Carries the work on an image out, as the control loop does.
  func carryOut(_ id: ImageID) async throws -> Image {
    let claim = try #require(try await store.operations.claim())
    do { _ = try await importer.carryOut(claim) } catch {
      try await importer.fail(claim, with: ServiceError.of(error))
    }
    return try await images.get(id, store.ana)
  }

  /// The names in the store's folder and its staging folder.
  func names() throws -> [String] {
    try
      (FileManager.default.contentsOfDirectory(atPath: files.folder)
      + FileManager.default.contentsOfDirectory(atPath: files.staging)).filter { $0 != "staging" }.sorted()
  }

  /// Bytes that all files of the store take on the disk.
  func bytesOnDisk() throws -> Int64 {
    var total: Int64 = 0
    for folder in [files.folder, files.staging] {
      for name in try FileManager.default.contentsOfDirectory(atPath: folder) {
        var status = stat()
        if stat("\(folder)/\(name)", &status) == 0, status.st_mode & S_IFMT == S_IFREG {
          total += Int64(status.st_blocks) * 512
        }
      }
    }
    return total
  }
}

/// A disk of random bytes that can boot, as far as its last two bytes tell.
func rawDisk(sectors: Int = 4096) -> [UInt8] {
  var bytes = [UInt8](repeating: 0, count: sectors * 512)
  for index in 512..<(min(bytes.count, 400_000)) { bytes[index] = UInt8.random(in: .min ... .max) }
  (bytes[510], bytes[511]) = (0x55, 0xaa)
  return bytes
}
