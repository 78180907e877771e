import Foundation
import Models

/// A publisher's list of checksums: lines as `sha256sum` writes them, plain or with BSD's tags; what surrounds them, such
/// as a signature, is passed over.
enum Checksums {
  /// - Returns: The SHA-256 or SHA-512 of the file in lower-case hexadecimal, the longest where there are several.
  static func digest(of file: String, in list: String) -> String? {
    list.split(whereSeparator: \.isNewline).compactMap { entry($0, of: file) }.max { $0.utf8.count < $1.utf8.count }
  }

  /// A list of one checksum without a name holds for whatever file it belongs to.
  private static func entry(_ line: Substring, of file: String) -> String? {
    if let tagged = line.wholeMatch(of: /SHA(256|512) \((.+)\) = ([0-9a-fA-F]+)\s*/) {
      return tagged.2 == file ? checked(tagged.3) : nil
    }
    let words = line.split(maxSplits: 1, whereSeparator: \.isWhitespace)
    guard let digest = words.first.flatMap({ checked($0) }) else { return nil }
    guard words.count == 2 else { return digest }
    let name = words[1].trimmingCharacters(in: .whitespaces)
    let bare = name.hasPrefix("*") ? String(name.dropFirst()) : name
    return bare == file || bare == "./\(file)" ? digest : nil
  }

  private static func checked(_ text: Substring) -> String? {
    [64, 128].contains(text.utf8.count)
      && text.utf8.allSatisfy {
        UInt8(ascii: "0")...UInt8(ascii: "9") ~= $0 || UInt8(ascii: "a")...UInt8(ascii: "f") ~= ($0 | 0x20)
      }
      ? text.lowercased() : nil
  }
}
