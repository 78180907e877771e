import Foundation

/// Where the API is.
struct ServerAddress: Equatable, Sendable, CustomStringConvertible {
  static let standard = "http://127.0.0.1:8080"

  /// Scheme, host, port and perhaps a path, with no slash at the end.
  let description: String
  let isEncrypted: Bool

  /// - Throws: `CommandFailure` unless the text is an http or https URL that holds no account, query or fragment, or if
  ///   it would send passwords and tokens readable over a network and that was not allowed.
  init(_ text: String, allowInsecureHTTP: Bool) throws {
    guard let parts = URLComponents(string: text), let scheme = parts.scheme?.lowercased(),
      ["http", "https"].contains(scheme), let host = parts.host, !host.isEmpty, parts.user == nil,
      parts.password == nil, parts.query == nil, parts.fragment == nil,
      text.utf8.allSatisfy({ (0x21...0x7e).contains($0) && $0 != UInt8(ascii: "\\") })
    else { throw CommandFailure(.usage, "\"\(text)\" is not the URL of a server, such as https://iaas.example.org.") }
    let isLocal = ["127.0.0.1", "localhost", "::1", "[::1]"].contains(host.lowercased())
    guard scheme == "https" || isLocal || allowInsecureHTTP else {
      throw CommandFailure(
        .usage, "\(text) would carry passwords and tokens unencrypted. Use https, or allow it with --insecure-http.")
    }
    isEncrypted = scheme == "https"
    description = String(text.trimmingSuffix { $0 == "/" })
  }
}

extension StringProtocol {
  /// Without the characters at the end that satisfy the predicate.
  fileprivate func trimmingSuffix(while predicate: (Character) -> Bool) -> SubSequence {
    var end = endIndex
    while end > startIndex, predicate(self[index(before: end)]) { end = index(before: end) }
    return self[..<end]
  }
}
