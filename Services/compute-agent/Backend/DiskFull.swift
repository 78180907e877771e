import Foundation
import Models
import ServiceKit

/// Tells a program that failed for want of room from one that failed otherwise.
enum DiskFull {
  static let error = ServiceError(.noSpace, "The host's disk is full.")

  /// Bytes below which a file system counts as full.
  private static let floor: Int64 = 4 << 20

  /// - Returns: `no_space`, or `internal_error` with the message.
  static func explaining(_ outcome: Tool.Outcome, in path: String, or message: String) throws -> ServiceError {
    if try isFull(path) || outcome.errors.contains("No space left") { return error }
    return ServiceError(.internalError, message, detail: String(outcome.errors.prefix(2000)))
  }

  /// Whether the file system of a path, which need not exist itself, has no room.
  static func isFull(_ path: String) throws -> Bool {
    try Files.freeSpace(at: (path as NSString).deletingLastPathComponent) < floor
  }
}
