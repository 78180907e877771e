import Foundation

/// The file that holds the saved login. It is written and read only as its owner's secret.
struct ConfigurationFile: Sendable {
  private static let largest = 64 << 10

  let path: String
  /// Whether the folder is there for this file alone.
  let ownsFolder: Bool

  /// `$IAAS_CONFIG`, or else `iaas/config.json` in the XDG base directory for configuration.
  init(environment: [String: String]) {
    if let path = environment["IAAS_CONFIG"], !path.isEmpty {
      self.init(path: path, ownsFolder: false)
    } else {
      let home = environment["HOME"] ?? NSHomeDirectory()
      let base = environment["XDG_CONFIG_HOME"].flatMap { $0.hasPrefix("/") ? $0 : nil } ?? "\(home)/.config"
      self.init(path: "\(base)/iaas/config.json", ownsFolder: true)
    }
  }

  init(path: String, ownsFolder: Bool) {
    self.path = path
    self.ownsFolder = ownsFolder
  }

  /// Nil when there is no file.
  /// - Throws: `CommandFailure` when others may read the file, or it does not hold what it should.
  func read() throws -> SavedLogin? {
    let descriptor = open(path, O_RDONLY | O_CLOEXEC)
    guard descriptor >= 0 else {
      if errno == ENOENT || errno == ENOTDIR { return nil }
      throw file.cannot("read")
    }
    let handle = FileHandle(fileDescriptor: descriptor, closeOnDealloc: true)
    var status = stat()
    guard fstat(descriptor, &status) == 0 else { throw file.cannot("read") }
    guard status.st_mode & 0o077 == 0 else {
      throw CommandFailure(.failed, "Others than you may use \(path), which holds a token. Run: chmod 600 '\(path)'")
    }
    guard let data = try? handle.read(upToCount: Self.largest),
      let saved = try? JSONDecoder().decode(SavedLogin.self, from: data)
    else { throw CommandFailure(.failed, "\(path) is not a saved login. Remove it and log in again.") }
    return saved
  }

  /// Puts a whole new file in the place of the old one.
  /// - Throws: `CommandFailure`.
  func write(_ login: SavedLogin) throws {
    let encoder = JSONEncoder()
    encoder.outputFormatting = [.prettyPrinted, .sortedKeys, .withoutEscapingSlashes]
    let data = try encoder.encode(login)
    try file.write(data)
  }

  private var file: PrivateFile { PrivateFile(path: path, ownsFolder: ownsFolder) }
}
