import Foundation
import ServiceKit

/// Folders of ours.
enum Folder {
  /// Makes a folder in one that exists, unless it is there.
  /// - Parameter mode: Its permissions, whatever this process's own mask.
  /// - Throws: `FileError`, which tells a full disk.
  static func ensure(_ path: String, mode: mode_t) throws {
    guard mkdir(path, mode) == 0 || errno == EEXIST, chmod(path, mode) == 0 else {
      throw FileError(path: path, code: errno)
    }
  }
}
