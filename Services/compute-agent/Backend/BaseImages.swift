import Foundation
import Models
import ServiceKit

/// The images that VMs' disks lie over, as this host sees them. A file is hashed once and then trusted as long as it is
/// the same file.
actor BaseImages {
  private struct Identity: Hashable {
    let inode: UInt64, size: Int64, changed: Int
  }

  private let folder: String
  private var verified: [Identity: Task<String, any Error>] = [:]

  init(folder: String) { self.folder = folder }

  /// - Returns: The path of the image's file, whose SHA-256 is the one given.
  /// - Throws: `unavailable` when the file is not here (yet), `corrupt` when it is not what it should be.
  func path(of image: ImageID, sha256: String) async throws -> String {
    let path = "\(folder)/\(image).qcow2"
    var status = stat()
    guard stat(path, &status) == 0 else {
      throw ServiceError(.unavailable, "The image is not on the host.", detail: path)
    }
    let identity = Identity(
      inode: UInt64(status.st_ino), size: Int64(status.st_size), changed: Int(status.st_mtim.tv_sec))
    let task = verified[identity] ?? Task { try await Files().sha256(path: path) }
    verified[identity] = task
    do {
      guard try await task.value == sha256 else {
        throw ServiceError(.corrupt, "The image's file on the host is not what was imported.", detail: path)
      }
    } catch {
      verified[identity] = nil
      throw error
    }
    return path
  }
}
