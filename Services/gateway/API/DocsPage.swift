import Crypto
import Foundation
import HTTPTypes
import Hummingbird
import NIOCore

/// The readable page of the API, at `/docs`: one document without anything from outside, made of the files in `Docs/`.
enum DocsPage {
  /// The scripts in the order in which they are put together; later ones use earlier ones.
  static let scripts = [
    PackageResources.dom_js, PackageResources.markdown_js, PackageResources.schemas_js, PackageResources.operations_js,
    PackageResources.trial_js, PackageResources.answer_js, PackageResources.session_js, PackageResources.search_js,
    PackageResources.page_js,
  ]

  static let document: FixedDocument = {
    let style = String(decoding: PackageResources.page_css, as: UTF8.self)
    let script = scripts.map { String(decoding: $0, as: UTF8.self) }.joined(separator: "\n")
    let page = String(decoding: PackageResources.page_html, as: UTF8.self)
      .replacing("<style></style>", with: "<style>\(style)</style>", maxReplacements: 1)
      .replacing("<script></script>", with: "<script>\(script)</script>", maxReplacements: 1)
    return FixedDocument(
      Array(page.utf8), type: "text/html; charset=utf-8",
      headers: [
        .contentSecurityPolicy: policy(script: script, style: style), .referrerPolicy: "no-referrer",
        .crossOriginOpenerPolicy: "same-origin",
      ])
  }()

  /// Only this very script and style are run (CSP Level 3); the page talks to this server alone, is never framed, and no
  /// text becomes markup.
  private static func policy(script: String, style: String) -> String {
    func hash(_ text: String) -> String {
      "'sha256-\(Data(SHA256.hash(data: Data(text.utf8))).base64EncodedString())'"
    }
    return [
      "default-src 'none'", "script-src \(hash(script))", "style-src \(hash(style))", "connect-src 'self'",
      "img-src data:", "base-uri 'none'", "form-action 'none'", "frame-ancestors 'none'",
      "require-trusted-types-for 'script'", "trusted-types 'none'",
    ].joined(separator: "; ")
  }
}

/// A document that stays the same as long as the process lives. Clients ask each time whether theirs is still the one
/// there is, so that a new version is seen at once.
struct FixedDocument: Sendable {
  let content: ByteBuffer
  let headers: HTTPFields

  init(_ bytes: [UInt8], type: String, headers: HTTPFields = [:]) {
    content = ByteBuffer(bytes: bytes)
    var headers = headers
    headers[.contentType] = type
    headers[.cacheControl] = "no-cache"
    headers[.eTag] = "\"\(SHA256.hash(data: bytes).prefix(16).map { String(format: "%02x", $0) }.joined())\""
    self.headers = headers
  }

  func response(to request: Request) -> Response {
    guard !isKnown(to: request) else {
      var headers = headers
      headers[.contentType] = nil
      return Response(status: .notModified, headers: headers)
    }
    let response = Response(status: .ok, headers: headers, body: .init(byteBuffer: content))
    return request.method == .head ? response.createHeadResponse() : response
  }

  /// Whether the client has it already (RFC 9110, 13.1.2: compared weakly).
  private func isKnown(to request: Request) -> Bool {
    request.headers[values: .ifNoneMatch].joined(separator: ",").split(separator: ",").contains { tag in
      let tag = tag.trimmingCharacters(in: .whitespaces)
      return tag == "*" || (tag.hasPrefix("W/") ? String(tag.dropFirst(2)) : tag) == headers[.eTag]
    }
  }
}

extension HTTPField.Name {
  static let referrerPolicy = HTTPField.Name("Referrer-Policy")!
  static let crossOriginOpenerPolicy = HTTPField.Name("Cross-Origin-Opener-Policy")!
}
