import Foundation

/// A name for an image that was given none.
enum ImageName {
  private static let extensions = ["qcow2", "img", "raw", "gz", "xz", "zst"]

  /// The last component of a URL's path, without extensions of disk images.
  /// - Throws: `CommandFailure` `usage` when there is none.
  static func derived(fromURL url: String) throws -> String {
    try checked(stem(URLComponents(string: url)?.path ?? ""), of: url)
  }

  /// The name of a file, without extensions of disk images.
  /// - Throws: as above.
  static func derived(fromPath path: String) throws -> String { try checked(stem(path), of: path) }

  private static func stem(_ path: String) -> String {
    var name = path.split(separator: "/", omittingEmptySubsequences: false).last ?? ""
    while let dot = name.lastIndex(of: "."), extensions.contains(name[dot...].dropFirst().lowercased()) {
      name = name[..<dot]
    }
    return String(name)
  }

  private static func checked(_ name: String, of source: String) throws -> String {
    guard !name.isEmpty else { throw CommandFailure(.usage, "\(source) holds no name for the image. Give it a NAME.") }
    return name
  }
}
