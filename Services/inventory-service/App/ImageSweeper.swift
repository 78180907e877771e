import Foundation
import Logging
import Models
import Persistence
import ServiceKit
import ServiceLifecycle

/// Keeps the store in step with its rows: removes the files of images that nothing needs any more and what dead imports
/// left behind, and rows of permissions that have ended.
struct ImageSweeper: Service {
  let store: ImageImportStore
  let shares: ShareStore
  let files: ImageFiles
  let logger: Logger
  var interval: Duration = .seconds(10)

  /// Seconds after which a file that nothing names belongs to nobody.
  private static let orphanAge: Double = 3600

  func run() async throws {
    await cancelWhenGracefulShutdown {
      while !Task.isCancelled {
        do { try await sweep() } catch {
          logger.warning("images not swept", metadata: ["error": "\(String(reflecting: error))"])
        }
        try? await Task.sleep(for: interval)
      }
    }
  }

  func sweep() async throws {
    for id in try await store.disposable() {
      try await Files.shared.remove(files.file(of: id))
      try await store.forget(id)
    }
    try await sweepStaging()
    try await sweepOrphans()
    try await store.expireUploads()
    try await shares.sweep()
    try await Idempotency.inventory.sweep(store.pool)
    try await OperationStore(pool: store.pool).sweep()
  }

  /// The folder is listed before the claims are: whoever made a file that is listed held its claim already, and a claim
  /// that no longer stands never stands again.
  private func sweepStaging() async throws {
    let listed = Set(names(in: files.staging).compactMap(ImageFiles.stagedName))
    guard !listed.isEmpty else { return }
    let needed = try await store.staged(of: listed.map(\.image))
    for name in listed.subtracting(needed) { files.discard(name) }
    // What does not bear our names may be an operator's; it has an hour.
    for path in old(in: files.staging) where ImageFiles.stagedName((path as NSString).lastPathComponent) == nil {
      try await Files.shared.remove(path)
    }
  }

  private func sweepOrphans() async throws {
    let candidates = old(in: files.folder).compactMap { path -> (ImageID, String)? in
      let name = (path as NSString).lastPathComponent
      return name.hasSuffix(".qcow2") ? ImageID(String(name.dropLast(6))).map { ($0, path) } : nil
    }
    let known = try await store.known(candidates.map(\.0))
    for (id, path) in candidates where !known.contains(id) { try await Files.shared.remove(path) }
  }

  private func names(in folder: String) -> [String] {
    (try? FileManager.default.contentsOfDirectory(atPath: folder)) ?? []
  }

  private func old(in folder: String) -> [String] {
    names(in: folder).map { "\(folder)/\($0)" }.filter { path in
      guard let attributes = try? FileManager.default.attributesOfItem(atPath: path),
        attributes[.type] as? FileAttributeType == .typeRegular, let changed = attributes[.modificationDate] as? Date
      else { return false }
      return Date().timeIntervalSince(changed) > Self.orphanAge
    }
  }
}
