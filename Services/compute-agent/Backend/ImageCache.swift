import Foundation
import Logging
import Models
import ServiceKit

/// An image as a spec names it: by its content, with where to fetch it.
struct CachedImage: Sendable {
  let sha256: String
  /// Bytes.
  let size: Int64
  let url: String
}

/// Files of images by their SHA-256, in a folder of limited size. VMs keep hard links to the files that they need, so that
/// taking a file out of the cache harms nobody; those that no VM needs go first, the least recently used before the rest.
actor ImageCache {
  private let folder: String
  private let limit: Int64
  private let download: ImageFetch
  private let patience: Duration
  private var downloads: [String: Task<Void, any Error>] = [:]

  /// - Parameters:
  ///   - limit: Bytes of the files that are kept although no VM needs them.
  ///   - patience: How long one caller waits for a download; the download goes on without them.
  /// - Throws: `SettingsError` when the folder cannot be made.
  init(folder: String, limit: Int64, download: ImageFetch, patience: Duration = .seconds(60)) throws {
    self.folder = folder
    self.limit = limit
    self.download = download
    self.patience = patience
    do { try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true) } catch {
      throw SettingsError("The image cache \(folder) cannot be made: \(error.localizedDescription)")
    }
  }

  /// Fetches the image unless it is here, and links it for a VM.
  /// - Parameter isWhole: Whether the file has the content that its name says.
  /// - Throws: `unavailable` while it is being fetched or cannot be, `corrupt`, `no_space`.
  func link(_ image: CachedImage, as link: String, isWhole: @Sendable (String) async throws -> Bool) async throws {
    guard access(link, F_OK) != 0 else { return }
    guard image.sha256.utf8.count == 64, image.sha256.allSatisfy(\.isHexDigit) else {
      throw ServiceError.invalid("image.sha256", "must be 64 hexadecimal digits.")
    }
    let path = "\(folder)/\(image.sha256).qcow2"
    if access(path, F_OK) != 0 { try await fetch(image, to: path) }
    guard try await isWhole(path) else {
      try await Files.shared.remove(path)
      throw ServiceError(.unavailable, "The image in the host's cache was damaged; it is fetched again.", detail: path)
    }
    try noteUse(of: path)
    guard Foundation.link(path, link) != 0, errno != EEXIST else { return }
    // It was evicted just now, for another image.
    guard errno == ENOENT else { throw FileError(path: link, code: errno) }
    throw ServiceError(.unavailable, "The image left the host's cache; it is fetched again.")
  }

  /// The time of the last use, by which files are evicted, is that of the last access; the other one stays.
  private func noteUse(of path: String) throws {
    var status = stat()
    guard stat(path, &status) == 0 else { throw FileError(path: path, code: errno) }
    let times = [timespec(tv_sec: time(nil), tv_nsec: 0), status.st_mtim]
    utimensat(AT_FDCWD, path, times, 0)
  }

  /// Joins the download that is under way, or begins one.
  private func fetch(_ image: CachedImage, to path: String) async throws {
    let task: Task<Void, any Error>
    if let running = downloads[image.sha256] {
      task = running
    } else {
      try await makeRoom(for: image.size)
      task = downloads[image.sha256] ?? begin(image, to: path)
    }
    let patience = patience
    try await withThrowingTaskGroup(of: Void.self) { group in
      group.addTask { try await task.value }
      group.addTask {
        try await Task.sleep(for: patience)
        throw ServiceError(.unavailable, "The host is fetching the image.")
      }
      defer { group.cancelAll() }
      try await group.next()
    }
  }

  private func begin(_ image: CachedImage, to path: String) -> Task<Void, any Error> {
    let task = Task {
      defer { downloads[image.sha256] = nil }
      try await download.fetch(image, to: path)
    }
    downloads[image.sha256] = task
    return task
  }

  /// Takes files out of the cache that no VM needs, until there is room for as many bytes more.
  /// - Throws: `no_space` when the file system has no room even so.
  func makeRoom(for bytes: Int64) async throws {
    struct Entry {
      let path: String, size: Int64, used: Int
    }
    let names = (try? FileManager.default.contentsOfDirectory(atPath: folder)) ?? []
    // Also what was begun and given up.
    let needed = Set(downloads.keys.map { "\($0).qcow2\(ImageFetch.partial)" })
    var idle = names.filter { !needed.contains($0) }.compactMap { name -> Entry? in
      var status = stat()
      guard stat("\(folder)/\(name)", &status) == 0, status.st_nlink == 1 else { return nil }
      return Entry(path: "\(folder)/\(name)", size: Int64(status.st_size), used: Int(status.st_atim.tv_sec))
    }.sorted { $0.used > $1.used }
    var kept = idle.reduce(0) { $0 + $1.size }
    while let oldest = idle.popLast() {
      if try kept + bytes <= limit && Files.freeSpace(at: folder) >= bytes { break }
      try await Files.shared.remove(oldest.path)
      kept -= oldest.size
    }
    guard try Files.freeSpace(at: folder) >= bytes else {
      throw ServiceError(.noSpace, "The host has no room for the image.")
    }
  }
}
