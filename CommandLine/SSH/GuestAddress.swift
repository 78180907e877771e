import Foundation

/// An address at which a guest can be reached, written as the system itself writes it.
struct GuestAddress: Equatable, Sendable, CustomStringConvertible {
  let description: String

  /// Nil unless the text is an IPv4 or IPv6 address, without a zone, that one machine can have and others can reach.
  init?(_ text: String) {
    guard !text.utf8.contains(0) else { return nil }
    var v4 = in_addr()
    var v6 = in6_addr()
    if inet_pton(AF_INET, text, &v4) == 1 {
      let bytes = withUnsafeBytes(of: v4) { Array($0) }
      guard Self.isReachable(v4: bytes) else { return nil }
      description = bytes.map(String.init).joined(separator: ".")
    } else if inet_pton(AF_INET6, text, &v6) == 1 {
      guard Self.isReachable(v6: withUnsafeBytes(of: v6) { Array($0) }) else { return nil }
      description = Self.written(&v6)
    } else {
      return nil
    }
  }

  private static func written(_ address: inout in6_addr) -> String {
    var text = [CChar](repeating: 0, count: Int(INET6_ADDRSTRLEN))
    _ = inet_ntop(AF_INET6, &address, &text, socklen_t(text.count))
    return String(decoding: text.prefix { $0 != 0 }.map(UInt8.init(bitPattern:)), as: UTF8.self)
  }

  /// Not of this network, this machine, or many machines (RFC 6890, 2.2.2).
  private static func isReachable(v4 bytes: [UInt8]) -> Bool { bytes[0] != 0 && bytes[0] != 127 && bytes[0] < 224 }

  /// Not of this machine, this link, or many machines, and no IPv4 address in disguise (RFC 4291, 2.4 and 2.5.5).
  private static func isReachable(v6 bytes: [UInt8]) -> Bool {
    let isLinkLocal = bytes[0] == 0xfe && bytes[1] & 0xc0 == 0x80
    return bytes[0] != 0xff && !isLinkLocal && !bytes.prefix(10).allSatisfy { $0 == 0 }
  }
}
