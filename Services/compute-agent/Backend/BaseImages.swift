import Foundation
import Models
import ServiceKit

/// The images that VMs' disks lie over. Where the host sees the image store, its files are used as they are; else they are
/// fetched into the cache. A file is hashed once and then trusted as long as it is the same file.
actor BaseImages {
  private struct Identity: Hashable {
    let inode: UInt64, size: Int64, changed: Int
  }

  private let folder: String
  private let cache: ImageCache
  private var verified: [Identity: Task<String, any Error>] = [:]

  /// - Parameter folder: Where the image store is mounted, if it is.
  init(folder: String, cache: ImageCache) {
    self.folder = folder
    self.cache = cache
  }

  /// - Parameter link: The name under which a VM keeps a file of the cache, whatever becomes of the cache.
  /// - Returns: The path of the image's file, whose SHA-256 is the one that the spec says.
  /// - Throws: `unavailable` when the file is not here (yet), `corrupt` when it is not what it should be, `no_space`.
  func path(of spec: VMSpec, linkedAs link: String) async throws -> String {
    let shared = "\(folder)/\(spec.image).qcow2"
    if access(shared, R_OK) == 0 {
      guard try await digest(of: shared) == spec.imageSHA256 else {
        throw ServiceError(.corrupt, "The image's file on the host is not what was imported.", detail: shared)
      }
      return shared
    }
    let image = CachedImage(sha256: spec.imageSHA256, size: spec.imageSize, url: spec.imageURL)
    try await cache.link(image, as: link) { [self] in try await digest(of: $0) == image.sha256 }
    return link
  }

  private func digest(of path: String) async throws -> String {
    var status = stat()
    guard stat(path, &status) == 0 else { throw FileError(path: path, code: errno) }
    let identity = Identity(
      inode: UInt64(status.st_ino), size: Int64(status.st_size), changed: Int(status.st_mtim.tv_sec))
    let task = verified[identity] ?? Task { try await Files().sha256(path: path) }
    verified[identity] = task
    do { return try await task.value } catch {
      verified[identity] = nil
      throw error
    }
  }
}
