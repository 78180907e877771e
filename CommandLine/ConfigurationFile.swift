import Foundation

/// The file that holds the saved login. It is written and read only as its owner's secret.
struct ConfigurationFile: Sendable {
  private static let largest = 64 << 10

  let path: String
  /// Whether the folder is there for this file alone.
  let ownsFolder: Bool
  /// Whose login is meant; nil for the present context's.
  let chosen: String?

  /// `$IAAS_CONFIG`, or else `iaas/config.json` in the XDG base directory for configuration.
  /// - Parameter context: Before `$IAAS_CONTEXT`.
  init(environment: [String: String], context: String? = nil) {
    let chosen = context ?? environment["IAAS_CONTEXT"].flatMap { $0.isEmpty ? nil : $0 }
    if let path = environment["IAAS_CONFIG"], !path.isEmpty {
      self.init(path: path, ownsFolder: false, chosen: chosen)
    } else {
      let home = environment["HOME"] ?? NSHomeDirectory()
      let base = environment["XDG_CONFIG_HOME"].flatMap { $0.hasPrefix("/") ? $0 : nil } ?? "\(home)/.config"
      self.init(path: "\(base)/iaas/config.json", ownsFolder: true, chosen: chosen)
    }
  }

  init(path: String, ownsFolder: Bool, chosen: String? = nil) {
    self.path = path
    self.ownsFolder = ownsFolder
    self.chosen = chosen
  }

  /// The login of the context that was chosen, or else of the present one; nil where there is none yet.
  /// - Throws: `CommandFailure` when others may read the file, it does not hold what it should, or the context that was
  ///   chosen is not in it.
  func read() throws -> SavedLogin? {
    guard let all = try contexts() else { return nil }
    guard let chosen else { return all.logins[all.current] }
    guard let login = all.logins[chosen] else { throw all.unknown(chosen) }
    return login
  }

  /// Puts the login in the place of the context's.
  /// - Throws: `CommandFailure`.
  func write(_ login: SavedLogin) throws {
    var all = try contexts() ?? SavedContexts()
    all.logins[chosen ?? all.current] = login
    try write(all)
  }

  /// Nil when there is no file.
  /// - Throws: `CommandFailure` when others may read the file, or it does not hold what it should.
  func contexts() throws -> SavedContexts? {
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
      let saved = try? JSONDecoder().decode(SavedContexts.self, from: data)
    else { throw CommandFailure(.failed, "\(path) is not a saved login. Remove it and log in again.") }
    return saved
  }

  /// Puts a whole new file in the place of the old one.
  /// - Throws: `CommandFailure`.
  func write(_ all: SavedContexts) throws {
    let encoder = JSONEncoder()
    encoder.outputFormatting = [.prettyPrinted, .sortedKeys, .withoutEscapingSlashes]
    try file.write(try encoder.encode(all))
  }

  private var file: PrivateFile { PrivateFile(path: path, ownsFolder: ownsFolder) }
}
