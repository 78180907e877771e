import Foundation
import Models
import ServiceKit

/// The disks of VMs: overlays over images.
struct VMDisks: Sendable {
  let images: BaseImages

  /// Makes the disk, or makes it larger. What has the final name is whole.
  /// - Throws: `unavailable`, `corrupt`, `no_space`.
  func ensure(of spec: VMSpec, at paths: VMPaths) async throws {
    let path = paths.disk(spec.diskNumber)
    if access(path, F_OK) == 0 {
      try await QemuImg.grow(path, toGibibytes: spec.disk)
      return
    }
    let base = try await images.path(of: spec.image, linkedAs: paths.base(spec.diskNumber))
    try await QemuImg.create(path + ".part", over: base, gibibytes: spec.disk)
    try await Files.shared.publish(path + ".part", as: path)
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
