import Foundation
import Models
import ServiceKit

/// Which addresses an image's URL may reach: the public ones, and those that the operator allows.
struct AddressPolicy: Sendable {
  private let allowed: [AddressRange]
  private let resolver: @Sendable (String) async -> [IPAddress]

  /// - Parameters:
  ///   - allowed: Addresses or CIDR ranges.
  ///   - resolver: All addresses of a name, or of an address in any spelling; nil asks the system.
  /// - Throws: `SettingsError` for what is neither address nor range.
  init(
    allowed: [String], resolver: (@Sendable (String) async -> [IPAddress])? = nil
  ) throws {
    self.resolver = resolver ?? { await Resolver.shared.addresses(of: $0) }
    self.allowed = try allowed.map { text in
      guard let range = AddressRange(text) else {
        throw SettingsError(
          "IAAS_IMPORT_ALLOW has '\(text)', which is neither an address nor a range such as 10.0.0.0/8.")
      }
      return range
    }
  }

  func permits(_ address: IPAddress) -> Bool {
    let plain = address.unmapped
    return allowed.contains { $0.contains(plain) } || !AddressRange.special.contains { $0.contains(plain) }
  }

  /// A URL of the web, without credentials, whose host is spelled in plain ASCII: what is checked here is then what the
  /// HTTP client reads too.
  /// - Throws: `url_forbidden`.
  static func checkedURL(_ text: String) throws -> URL {
    guard text.utf8.allSatisfy({ (0x21...0x7e).contains($0) }), var parts = URLComponents(string: text),
      let scheme = parts.scheme?.lowercased(), ["http", "https"].contains(scheme)
    else {
      throw ServiceError(
        .urlForbidden, "The URL must start with http:// or https:// and have no spaces or letters beyond ASCII.")
    }
    guard parts.user == nil, parts.password == nil else {
      throw ServiceError(.urlForbidden, "The URL must not carry a user name or password.")
    }
    guard let host = parts.encodedHost?.lowercased(), !host.isEmpty, host.utf8.allSatisfy(isPlain) else {
      throw ServiceError(.urlForbidden, "The URL must name a host.")
    }
    parts.scheme = scheme
    parts.encodedHost = host
    parts.fragment = nil
    guard let url = parts.url else { throw ServiceError(.urlForbidden, "The URL cannot be read.") }
    return url
  }

  /// Letters, digits, and the punctuation of names and of addresses in brackets.
  private static func isPlain(_ byte: UInt8) -> Bool {
    switch byte {
    case 0x30...0x39, 0x61...0x7a: true
    default: Array("-._:[]".utf8).contains(byte)
    }
  }

  /// The URL's host as a resolver takes it: without brackets.
  static func host(of url: URL) -> String {
    (url.host(percentEncoded: false) ?? "").trimmingCharacters(in: ["[", "]"])
  }

  /// Resolves the URL's host once.
  /// - Returns: The address to connect to.
  /// - Throws: `url_forbidden` when any of its addresses may not be reached, `source_failed` when it has none.
  func resolve(_ url: URL) async throws -> IPAddress {
    let host = Self.host(of: url)
    let addresses = await resolver(host)
    guard let first = addresses.first else {
      throw ServiceError(.sourceFailed, "The host \(Text.printable(host, limit: 255)) cannot be found.")
    }
    guard addresses.allSatisfy(permits) else {
      throw ServiceError(
        .urlForbidden,
        "The URL leads to an address that is not public. The operator can allow it by IAAS_IMPORT_ALLOW.")
    }
    return first
  }
}
