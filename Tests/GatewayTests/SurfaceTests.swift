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
  private static let client = InternalHTTP.makeClient()

  /// A gateway whose services are away: enough to see routes and refusals.
  private var routes: ServiceRoutes {
    let peer = ServicePeer(client: Self.client, url: "http://127.0.0.1:1", secret: "x", noun: "The service")
    return GatewayRoutes(
      auth: AuthClient(peer: peer), inventory: InventoryClient(peer: peer), proxies: [], quotas: QuotaPolicy()
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
