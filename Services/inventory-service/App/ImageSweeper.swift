import Foundation
import Logging
import Models
import ServiceKit
import ServiceLifecycle

/// Removes the files of images that nothing needs any more, and what dead imports left behind.
struct ImageSweeper: Service {
  let store: ImageStore
  let files: ImageFiles
  let logger: Logger

  /// Seconds after which a file that no row names, or that no import has written to, belongs to nobody.
  private static let orphanAge: Double = 3600

  func run() async throws {
    await cancelWhenGracefulShutdown {
      while !Task.isCancelled {
        do { try await sweep() } catch {
          logger.warning("images not swept", metadata: ["error": "\(String(reflecting: error))"])
        }
        try? await Task.sleep(for: .seconds(10))
      }
    }
  }

  func sweep() async throws {
    for id in try await store.disposable() {
      try await Files.shared.remove(files.file(of: id))
      try await store.forget(id)
    }
    for path in old(in: files.staging) { try await Files.shared.remove(path) }
    let candidates = old(in: files.folder).compactMap { path -> (ImageID, String)? in
      let name = (path as NSString).lastPathComponent
      return name.hasSuffix(".qcow2") ? ImageID(String(name.dropLast(6))).map { ($0, path) } : nil
    }
    let known = try await store.known(candidates.map(\.0))
    for (id, path) in candidates where !known.contains(id) { try await Files.shared.remove(path) }
  }

  private func old(in folder: String) -> [String] {
    let manager = FileManager.default
    return ((try? manager.contentsOfDirectory(atPath: folder)) ?? []).map { "\(folder)/\($0)" }.filter { path in
      guard let attributes = try? manager.attributesOfItem(atPath: path),
        attributes[.type] as? FileAttributeType == .typeRegular, let changed = attributes[.modificationDate] as? Date
      else { return false }
      return Date().timeIntervalSince(changed) > Self.orphanAge
    }
  }
}
