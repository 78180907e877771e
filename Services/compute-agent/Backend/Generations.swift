import Foundation
import Models
import ServiceKit

/// The highest generation seen of each VM, on disk, also of those removed: a late command for a VM of the past is
/// refused, whatever happened to this process in between.
actor Generations {
  private let folder: String
  private var seen: [VMID: Int64] = [:]

  init(folder: String) throws {
    self.folder = folder
    try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
  }

  /// Notes that a command of this generation was accepted.
  /// - Throws: `stale_generation` when a later one was seen.
  func accept(_ generation: Int64, of id: VMID) async throws {
    let path = "\(folder)/\(id)"
    let highest = seen[id] ?? (try? String(contentsOfFile: path, encoding: .utf8)).flatMap { Int64($0) } ?? 0
    guard generation >= highest else {
      throw ServiceError(.staleGeneration, "A later change of this VM has been seen already.")
    }
    guard generation > highest else { return }
    try Data(String(generation).utf8).write(to: URL(fileURLWithPath: path + ".part"))
    try await Files.shared.publish(path + ".part", as: path)
    seen[id] = generation
  }
}
