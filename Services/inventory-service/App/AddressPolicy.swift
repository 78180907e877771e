import Foundation
import Models
import ServiceKit

/// Which addresses an image's URL may reach: the public ones, and those that the operator allows.
struct AddressPolicy: Sendable {
  private let allowed: [AddressRange]

  /// - Parameter allowed: Addresses or CIDR ranges.
  /// - Throws: `SettingsError` for what is neither.
  init(allowed: [String]) throws {
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

  /// The scheme, host and absence of credentials that a source must have.
  /// - Throws: `url_forbidden`.
  static func checkedURL(_ text: String) throws -> URL {
    guard let parts = URLComponents(string: text), let url = parts.url, let scheme = parts.scheme?.lowercased(),
      ["http", "https"].contains(scheme), let host = parts.host, !host.isEmpty, host.allSatisfy(\.isASCII)
    else { throw ServiceError(.urlForbidden, "The URL must start with http:// or https:// and name a host.") }
    guard parts.user == nil, parts.password == nil else {
      throw ServiceError(.urlForbidden, "The URL must not carry a user name or password.")
    }
    return url
  }

  /// Resolves the URL's host once.
  /// - Returns: The address to connect to.
  /// - Throws: `url_forbidden` when any of its addresses may not be reached, `source_failed` when it has none.
  func resolve(_ url: URL) async throws -> IPAddress {
    let host = (url.host(percentEncoded: false) ?? "").trimmingCharacters(in: ["[", "]"])
    let addresses = await Resolver.shared.addresses(of: host)
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
