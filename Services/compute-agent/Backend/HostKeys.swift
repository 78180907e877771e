import Foundation
import Models
import ServiceKit

/// SSH host keys as a guest shows them. Guests may show anything: only what has the form of a public key passes.
enum HostKeys {
  /// The most keys that one guest has, and the most bytes of a block of them.
  static let limit = 8
  static let blockLimit = 16 << 10

  private static let begin = Data("-----BEGIN SSH HOST KEY KEYS-----".utf8)
  private static let end = Data("-----END SSH HOST KEY KEYS-----".utf8)
  private static let types: Set<String> = [
    "ssh-ed25519", "ecdsa-sha2-nistp256", "ecdsa-sha2-nistp384", "ecdsa-sha2-nistp521", "ssh-rsa",
  ]

  /// The keys of the last whole block that cloud-init wrote to the console; nil when there is none.
  static func inConsole(_ text: Data) -> [String]? {
    var rest = text[...]
    while let last = rest.range(of: end, options: .backwards) {
      let before = rest[rest.startIndex..<last.lowerBound]
      guard let first = before.range(of: begin, options: .backwards) else { return nil }
      let block = before[first.upperBound...]
      if block.count <= blockLimit, case let keys = keys(inLines: block), !keys.isEmpty { return keys }
      rest = before[before.startIndex..<first.lowerBound]
    }
    return nil
  }

  /// The keys among lines of `type base64 comment`, without their comments; each once.
  static func keys(inLines text: Data) -> [String] {
    var keys: [String] = []
    for line in String(decoding: text.prefix(blockLimit), as: UTF8.self).split(whereSeparator: \.isNewline) {
      guard let key = key(String(line)), !keys.contains(key) else { continue }
      keys.append(key)
      if keys.count == limit { break }
    }
    return keys
  }

  /// The type is said twice, before the key's bytes and in them (RFC 4253, 6.6).
  private static func key(_ line: String) -> String? {
    let words = line.split(whereSeparator: \.isWhitespace)
    guard words.count >= 2, types.contains(String(words[0])), let blob = Data(base64Encoded: String(words[1])) else {
      return nil
    }
    let type = Data(words[0].utf8)
    let length = withUnsafeBytes(of: UInt32(type.count).bigEndian) { Data($0) }
    guard blob.starts(with: length + type), blob.count > type.count + 8 else { return nil }
    return "\(words[0]) \(words[1])"
  }
}

/// The last known host keys of a VM's disk, kept in its folder.
struct KnownHostKeys: Codable, Equatable, Sendable {
  let disk: Int64
  let keys: [String]

  /// Empty when none are known, or only those of another disk.
  static func read(_ path: String, disk: Int64) -> [String] {
    guard let data = FileManager.default.contents(atPath: path),
      let known = try? JSON.decoder.decode(KnownHostKeys.self, from: data), known.disk == disk
    else { return [] }
    return known.keys
  }

  func write(to path: String) throws { try PrivateFile.write(try JSON.encoder.encode(self), to: path) }
}
