import Foundation
import Models

/// Where images lie: `<images dir>/<image id>.qcow2`, and what is not whole yet in a folder beside them on the same
/// file system.
struct ImageFiles: Sendable {
  let folder: String

  init(folder: String) throws {
    self.folder = folder
    try FileManager.default.createDirectory(atPath: staging, withIntermediateDirectories: true)
  }

  var staging: String { "\(folder)/staging" }
  func file(of id: ImageID) -> String { "\(folder)/\(id).qcow2" }

  /// The names differ with the claim, so that a worker that lost its lease never writes into its successor's file.
  func download(_ claim: Claim) -> String { "\(staging)/\(claim.resource).\(claim.epoch).download" }
  func converted(_ claim: Claim) -> String { "\(staging)/\(claim.resource).\(claim.epoch).qcow2" }
}
