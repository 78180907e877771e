import Foundation
import Models
import ServiceKit

/// What a staged file belongs to: an image, and the claim under which it is written.
struct StagedName: Hashable, Sendable {
  let image: ImageID
  let epoch: Int64
}

/// Where images lie: `<images dir>/<image id>.qcow2`, and what is not whole yet in a folder beside them on the same
/// file system.
struct ImageFiles: Sendable {
  let folder: String
  /// Bytes of the file system that imports leave free.
  private let reserve: Int64
  /// Bytes that the file system of a folder has free.
  private let free: @Sendable (String) throws -> Int64

  /// - Throws: `SettingsError` when the folder cannot be made.
  init(folder: String, reserve: Int64, free: @escaping @Sendable (String) throws -> Int64 = Files.freeSpace(at:)) throws
  {
    self.folder = folder
    self.reserve = reserve
    self.free = free
    do {
      // The sandbox works as another user, which must be able to pass.
      try FileManager.default.createDirectory(
        atPath: staging, withIntermediateDirectories: true, attributes: [.posixPermissions: 0o711])
    } catch { throw SettingsError("The image store \(folder) cannot be made: \(error.localizedDescription)") }
  }

  var staging: String { "\(folder)/staging" }
  func file(of id: ImageID) -> String { "\(folder)/\(id).qcow2" }

  /// The names differ with the claim, so that a worker that lost its lease never writes into its successor's file.
  func received(_ name: StagedName) -> String { "\(staging)/\(name.image).\(name.epoch).received" }
  func expanded(_ name: StagedName) -> String { "\(staging)/\(name.image).\(name.epoch).expanded" }
  func converted(_ name: StagedName) -> String { "\(staging)/\(name.image).\(name.epoch).qcow2" }
  func linked(_ name: StagedName) -> String { "\(staging)/\(name.image).\(name.epoch).link" }

  /// Removes all that was written under a claim.
  func discard(_ name: StagedName) {
    for path in [received(name), expanded(name), converted(name), linked(name)] { unlink(path) }
  }

  /// What a file in the staging folder belongs to; nil for a name that is not ours.
  static func stagedName(_ file: String) -> StagedName? {
    let parts = file.split(separator: ".")
    guard parts.count == 3, let image = ImageID(String(parts[0])), let epoch = Int64(parts[1]) else { return nil }
    return StagedName(image: image, epoch: epoch)
  }

  /// Bytes that may still be written.
  /// - Throws: `FileError`.
  func room() throws -> Int64 { max(try free(staging) - reserve, 0) }

  /// - Throws: `no_space` unless that many bytes more can be written.
  func require(_ bytes: Int64) throws {
    guard try room() < max(bytes, 1) else { return }
    throw ServiceError(.noSpace, "The image store is full; remove images, or have its operator make room.")
  }

  /// Gives a converted file its final name. When an image has the same content already, both names lead to one file,
  /// which lasts as long as either; a twin that is just being removed does not help.
  func place(_ name: StagedName, twin: ImageID?) throws {
    let link = linked(name)
    if let twin, Foundation.link(file(of: twin), link) == 0 {
      try Files.place(link, as: file(of: name.image))
    } else {
      try Files.place(converted(name), as: file(of: name.image))
    }
  }
}

extension Claim {
  /// What this claim's staged files are called by.
  var staged: StagedName { StagedName(image: ImageID(resource.uuid), epoch: epoch) }
}
