import Foundation
import Models
import ServiceKit

/// The images that VMs' disks lie over. Where the host sees the image store, its files are used as they are; else they are
/// fetched into the cache.
struct BaseImages: Sendable {
  /// Where the image store is mounted, if it is.
  let folder: String
  let cache: ImageCache
  let digests: FileDigests

  /// - Parameter link: The name under which a VM keeps a file of the cache, whatever becomes of the cache.
  /// - Returns: The path of the image's file, whose SHA-256 is the one that the reference says.
  /// - Throws: `unavailable` when the file is not here (yet), `corrupt` when it is not what it should be, `no_space`.
  func path(of image: ImageReference, linkedAs link: String) async throws -> String {
    let shared = "\(folder)/\(image.id).qcow2"
    if access(shared, R_OK) == 0 {
      guard try await digests.digest(of: shared) == image.sha256 else {
        throw ServiceError(.corrupt, "The image's file on the host is not what was imported.", detail: shared)
      }
      return shared
    }
    let cached = CachedImage(sha256: image.sha256, size: image.size, url: image.url)
    try await cache.link(cached, as: link) { [digests] in try await digests.digest(of: $0) == image.sha256 }
    return link
  }
}
