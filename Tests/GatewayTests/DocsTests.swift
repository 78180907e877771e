import Clients
import Crypto
import Foundation
import HTTPTypes
import Hummingbird
import HummingbirdTesting
import Models
import ServiceKit
import Testing

@testable import Gateway

/// The page at `/docs` as a browser gets it.
@Suite struct DocsTests {
  private func withGateway(_ body: @Sendable (any TestClientProtocol) async throws -> Void) async throws {
    let peer = ServicePeer(client: SurfaceTests.client, url: "http://127.0.0.1:1", secret: "x", noun: "The service")
    let routes = GatewayRoutes(
      auth: AuthClient(peer: peer), inventory: InventoryClient(peer: peer), proxies: [], quotas: QuotaPolicy()
    ).routes
    try await Application(router: routes.router).test(.router, body)
  }

  private var page: String { String(buffer: DocsPage.document.content) }

  /// What stands between the tags; there is one such element.
  private func content(of element: String) throws -> String {
    let parts = page.components(separatedBy: "<\(element)>")
    try #require(parts.count == 2)
    let inner = parts[1].components(separatedBy: "</\(element)>")
    try #require(inner.count == 2)
    return inner[0]
  }

  @Test(arguments: ["/docs", "/docs/", "/docs?x"])
  func isThereForEveryoneAndRunsNothingButItsOwn(_ uri: String) async throws {
    let hashes = try ["script", "style"].map { element in
      let digest = SHA256.hash(data: Data(try content(of: element).utf8))
      return "\(element)-src 'sha256-\(Data(digest).base64EncodedString())'"
    }
    try await withGateway { client in
      try await client.execute(uri: uri, method: .get) { response in
        #expect(response.status == .ok)
        #expect(response.headers[.contentType] == "text/html; charset=utf-8")
        #expect(response.headers[.xContentTypeOptions] == "nosniff")
        #expect(response.headers[HTTPField.Name("Referrer-Policy")!] == "no-referrer")
        let policy = try #require(response.headers[.contentSecurityPolicy]).components(separatedBy: "; ")
        let expected =
          hashes + [
            "default-src 'none'", "connect-src 'self'", "img-src data:", "base-uri 'none'", "form-action 'none'",
            "frame-ancestors 'none'", "require-trusted-types-for 'script'", "trusted-types 'none'",
          ]
        #expect(policy.sorted() == expected.sorted())
      }
    }
  }

  @Test func isAskedForAgainAndSentAgainOnlyWhenItHasChanged() async throws {
    try await withGateway { client in
      for uri in ["/docs", "/iaas/openapi.json"] {
        let first = try await client.execute(uri: uri, method: .get) { $0 }
        #expect(first.headers[.cacheControl] == "no-cache")
        let tag = try #require(first.headers[.eTag])
        for known in [tag, "W/\(tag)", "\"other\", \(tag)", "*"] {
          try await client.execute(uri: uri, method: .get, headers: [.ifNoneMatch: known]) { response in
            #expect(response.status == .notModified && response.body.readableBytes == 0)
            #expect(response.headers[.eTag] == tag)
          }
        }
        for other in ["\"other\"", "other", tag.replacing("\"", with: "")] {
          try await client.execute(uri: uri, method: .get, headers: [.ifNoneMatch: other]) {
            #expect($0.status == .ok && $0.body.readableBytes > 0)
          }
        }
      }
    }
  }

  @Test func knowsItsVerbs() async throws {
    try await withGateway { client in
      try await client.execute(uri: "/docs", method: .head) { response in
        #expect(response.status == .ok && response.body.readableBytes == 0)
        #expect(response.headers[.contentSecurityPolicy] != nil)
      }
      try await client.execute(uri: "/docs", method: .post) { response in
        #expect(response.status == .methodNotAllowed && response.headers[.allow] == "GET, HEAD")
      }
      try await client.execute(uri: "/docs/page.js", method: .get) { #expect($0.status == .notFound) }
    }
  }

  @Test func needsNothingFromOutsideAndIsSmall() throws {
    #expect(try !content(of: "style").contains("url("))
    for reference in ["http://", "https://", "@import", " src=", "import(", "<base", "<iframe", "<object", "<embed"] {
      #expect(!page.contains(reference), "\(reference)")
    }
    #expect(page.utf8.count < 60_000)
  }

  @Test func makesNoMarkupOfTextAndStoresNothing() throws {
    let script = try content(of: "script")
    for word in [
      "innerHTML", "outerHTML", "insertAdjacentHTML", "document.write", "eval(", "Function(", "DOMParser",
      "localStorage", "sessionStorage", "indexedDB", "cookie",
    ] {
      #expect(!script.contains(word), "\(word)")
    }
    let markup = try page.replacing(script, with: "").replacing(content(of: "style"), with: "")
    #expect(markup.firstMatch(of: /\s(on\w+|style)\s*=/) == nil)
  }

  @Test func isMadeOfEveryFileOfItsFolder() throws {
    let folder = URL(fileURLWithPath: #filePath).appending(path: "../../../Services/gateway/API/Docs").standardized
    let names = try FileManager.default.contentsOfDirectory(atPath: folder.path)
    #expect(names.filter { $0.hasSuffix(".js") }.count == DocsPage.scripts.count)
    for name in names {
      let text = try String(contentsOf: folder.appending(path: name), encoding: .utf8)
      if !name.hasSuffix(".html") { #expect(page.contains(text), "\(name)") }
    }
  }
}
