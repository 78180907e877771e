import Foundation
import Models
import ServiceKit

/// The disks of VMs: overlays over images.
struct VMDisks: Sendable {
  let images: BaseImages

  /// Makes the disk, or makes it larger. What has the final name is whole.
  /// - Throws: `unavailable`, `corrupt`, `no_space`; `invalid_state` when the disk of a VM that had one is gone.
  func ensure(of spec: VMSpec, at paths: VMPaths) async throws {
    let path = paths.disk(spec.diskNumber)
    if access(path, F_OK) == 0 {
      try await QemuImg.grow(path, toGibibytes: spec.disk)
      return
    }
    guard spec.makesDisk else { throw Self.gone }
    let base = try await images.path(of: spec.image, linkedAs: paths.base(spec.diskNumber))
    try await QemuImg.create(path + ".part", over: base, gibibytes: spec.disk)
    try await Files.shared.publish(path + ".part", as: path)
  }

  private static let gone = ServiceError(
    .invalidState, "The VM has no disk on its host. Rebuild it from its image, or have the disk brought back.")

  /// - Throws: `invalid_state` when the disk is gone.
  static func require(_ number: Int64, at paths: VMPaths) throws {
    guard access(paths.disk(number), F_OK) == 0 else { throw gone }
  }

  /// Removes what the VM had before it got its present disk.
  static func removeOlder(than number: Int64, at paths: VMPaths) async throws {
    let names = (try? FileManager.default.contentsOfDirectory(atPath: paths.folder)) ?? []
    for name in names {
      guard let other = VMPaths.diskNumber(ofFile: name), other < number else { continue }
      try await Files.shared.remove("\(paths.folder)/\(name)")
    }
  }
}
