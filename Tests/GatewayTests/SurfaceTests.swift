import Clients
import Foundation
import Hummingbird
import HummingbirdTesting
import Models
import ServiceKit
import TestSupport
import Testing

@testable import Gateway

@Suite struct SurfaceTests {
  /// For all tests, as long as the process: it fails at once where nothing listens.
  static let client = InternalHTTP.makeClient()

  /// A gateway whose services are away: enough to see routes and refusals.
  private var routes: ServiceRoutes { routes(authAt: Self.nowhere) }

  private static let nowhere = "http://127.0.0.1:1"

  private func routes(authAt url: String) -> ServiceRoutes {
    func peer(_ url: String) -> ServicePeer {
      ServicePeer(client: Self.client, url: url, secret: "x", noun: "The service")
    }
    return GatewayRoutes(
      auth: AuthClient(peer: peer(url)), inventory: InventoryClient(peer: peer(Self.nowhere)), proxies: [],
      quotas: QuotaPolicy()
    ).routes
  }

  private struct Document: Decodable {
    struct Operation: Decodable {
      let security: [[String: [String]]]?
      /// Whether it may be asked for without a token.
      var isOpen: Bool { security.map { $0.isEmpty || $0.contains([:]) } ?? false }
    }
    let openapi: String
    let paths: [String: [String: Operation]]
  }

  private func document() throws -> Document {
    try JSONDecoder().decode(Document.self, from: Data(PackageResources.openapi_json))
  }

  /// `GET /iaas/vms/{}`: parameters' names differ between the two.
  private func normalised(_ method: String, _ path: String) -> String {
    let segments = path.split(separator: "/").map { $0.hasPrefix("{") || $0.hasPrefix(":") ? "{}" : String($0) }
    return "\(method.uppercased()) /\(segments.joined(separator: "/"))"
  }

  private var routed: Set<String> {
    Set(
      routes.router.routes.map { normalised($0.method.rawValue, $0.path.description) }.filter { $0.contains(" /iaas") })
  }

  @Test func theDocumentAndTheRouterAgreeBothWays() throws {
    let documented = try document().paths.flatMap { path, methods in methods.keys.map { normalised($0, path) } }
    #expect(Set(documented).subtracting(routed).sorted() == [])
    #expect(routed.subtracting(documented).sorted() == [])
  }

  /// What is not of the surface is not in the document, and in no matrix of who may: it is this, for everyone.
  @Test func besideTheSurfaceThereIsThePageAndWhatEveryServiceHas() {
    let others = routes.router.routes.map { normalised($0.method.rawValue, $0.path.description) }
      .filter { !$0.contains(" /iaas") }
    #expect(Set(others) == ["GET /docs", "HEAD /docs", "GET /health", "GET /ready", "GET /metrics"])
  }

  @Test func everyFixedRouteOfTheContractIsThere() {
    let fixed = [
      "POST /iaas/sessions", "GET /iaas/hosts", "POST /iaas/hosts", "PUT /iaas/hosts/{}", "DELETE /iaas/hosts/{}",
      "GET /iaas/users", "POST /iaas/users", "PUT /iaas/users/{}", "DELETE /iaas/users/{}", "GET /iaas/images",
      "POST /iaas/images", "PUT /iaas/images/{}", "DELETE /iaas/images/{}", "GET /iaas/images/{}/shares",
      "POST /iaas/images/{}/shares", "DELETE /iaas/images/{}/shares/{}", "GET /iaas/vms", "POST /iaas/vms",
      "PUT /iaas/vms/{}", "DELETE /iaas/vms/{}", "GET /iaas/vms/{}/shares", "POST /iaas/vms/{}/shares",
      "DELETE /iaas/vms/{}/shares/{}", "POST /iaas/vms/{}/snapshots",
    ]
    #expect(Set(fixed).subtracting(routed) == [])
  }

  @Test func everyRouteThatIsNotDocumentedAsOpenRefusesStrangers() async throws {
    let document = try document()
    try await Application(router: routes.router).test(.router) { client in
      for (path, methods) in document.paths {
        for (method, operation) in methods where !operation.isOpen {
          let uri = path.replacing(/\{[^}]*\}/, with: UUIDText.make().description)
          let verb = try #require(HTTPRequest.Method(rawValue: method.uppercased()))
          try await client.execute(uri: uri, method: verb, body: ByteBuffer(string: "{}")) { response in
            #expect(response.status == .unauthorized, "\(method) \(path)")
          }
        }
      }
    }
  }

  @Test func aServiceThatIsAwayIs503WithAHint() async throws {
    try await Application(router: routes.router).test(.router) { client in
      let headers: HTTPFields = [.authorization: "Bearer x", .contentType: "application/json"]
      try await client.execute(uri: "/iaas/vms", method: .get, headers: headers) { response in
        #expect(response.status == .serviceUnavailable && response.headers[.retryAfter] != nil)
      }
      try await client.execute(uri: "/iaas/ready", method: .get) { #expect($0.status == .serviceUnavailable) }
      try await client.execute(uri: "/iaas/health", method: .get) { #expect($0.status == .ok) }
    }
  }

  /// What auth-service says of waiting reaches the client as it is.
  @Test func whoMustWaitIsToldSoThroughTheGateway() async throws {
    let problem = """
      {"type":"about:blank","title":"Too Many Requests","status":429,"detail":"Wait.","code":"too_many_requests"}
      """
    let answer = """
      HTTP/1.1 429 Too Many Requests\r\nContent-Type: application/problem+json\r\nRetry-After: 7\r\n\
      RateLimit-Limit: 5\r\nRateLimit-Remaining: 0\r\nRateLimit-Reset: 7\r\n\
      Content-Length: \(problem.utf8.count)\r\n\r\n\(problem)
      """
    let script: @Sendable (String) -> [ScriptedServer.Step] = { _ in [.send(Array(answer.utf8))] }
    try await ScriptedServer.with(script) { server in
      try await Application(router: routes(authAt: server.url).router).test(.router) { client in
        let body = ByteBuffer(string: #"{"email":"ana","password":"x"}"#)
        try await client.execute(uri: "/iaas/sessions", method: .post, body: body) { response in
          #expect(response.status == .tooManyRequests && response.headers[.retryAfter] == "7")
          #expect(response.headers[.rateLimitLimit] == "5" && response.headers[.rateLimitRemaining] == "0")
          #expect(response.headers[.rateLimitReset] == "7")
        }
      }
    }
  }

  @Test(arguments: [
    "/iaas/operations/\(UUIDText.make())?wait=x", "/iaas/vms/\(UUIDText.make())?wait=61",
    "/iaas/vms/\(UUIDText.make())/console?bytes=0", "/iaas/vms/\(UUIDText.make())?readiness=bliss",
  ])
  func parametersOfQueriesAreCheckedBeforeAnyServiceIsAsked(_ uri: String) async throws {
    let session = """
      {"session":{"id":"\(UUIDText.make())","createdAt":"2026-11-21T08:00:00Z","lastUsedAt":"2026-11-21T08:00:00Z",\
      "expiresAt":"2026-11-22T08:00:00Z","current":true},"user":{"id":"\(UUIDText.make())","email":"ana","admin":false,\
      "disabled":false,"totp":false,"quota":{},"createdAt":"2026-11-21T08:00:00Z"},"quotaRevision":0}
      """
    let answer = """
      HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: \(session.utf8.count)\r\n\r\n\(session)
      """
    let script: @Sendable (String) -> [ScriptedServer.Step] = { _ in [.send(Array(answer.utf8))] }
    try await ScriptedServer.with(script) { server in
      try await Application(router: routes(authAt: server.url).router).test(.router) { client in
        try await client.execute(uri: uri, method: .get, headers: [.authorization: "x"]) {
          #expect($0.status == .unprocessableContent, "\(uri): \($0.status) \(String(buffer: $0.body))")
        }
      }
    }
  }

  @Test func twoAuthorizationHeadersAreRefused() async throws {
    try await Application(router: routes.router).test(.router) { client in
      var headers: HTTPFields = [:]
      headers[values: .authorization] = ["a", "b"]
      try await client.execute(uri: "/iaas/vms", method: .get, headers: headers) { #expect($0.status == .badRequest) }
    }
  }

  @Test(arguments: ["t0", "'t0'", "\"t0\"", "Bearer t0", "bearer t0", "Bearer 't0'", "'Bearer t0'", " t0 "])
  func tokensComeInManyWrappings(_ header: String) { #expect(TokenMiddleware.token(in: header) == "t0") }

  @Test(arguments: ["", " ", "''", "Bearer ", String(repeating: "x", count: 5000)])
  func otherHeadersHoldNoToken(_ header: String) { #expect(TokenMiddleware.token(in: header) == nil) }

  @Test(
    arguments: [
      (nil, 10, nil), ("wait=3", 3, nil), ("wait=0", 0, nil), ("wait=100", 60, nil), ("respond-async", 0, nil),
      ("respond-async, wait=5", 0, nil), ("handling=lenient; wait=7", 7, nil), ("wait=x", 10, nil),
      ("wait=-5", 0, nil), ("wait=60; readiness=ssh", 60, .ssh), ("readiness=cloud-init", 10, .cloudInit),
    ] as [(String?, Int, ReadinessStage?)])
  func preferSaysHowLongToWaitAndForWhat(_ header: String?, _ seconds: Int, _ stage: ReadinessStage?) throws {
    let preference = try Waiting.Preference(header)
    #expect(preference.seconds == seconds && preference.readiness == stage)
  }

  @Test func aStageThatThereIsNotIsRefused() {
    #expect(throws: ServiceError.self) { try Waiting.Preference("readiness=bliss") }
  }
}
