import Foundation
import Hummingbird
import HummingbirdTesting
import Models
import ServiceKit
import Testing

/// What every service does with every request, shown on one with three routes.
@Suite struct RequestHandlingTests {
  private func withService(_ body: @Sendable (any TestClientProtocol) async throws -> Void) async throws {
    let routes = ServiceRoutes(
      isReady: {}, scrape: { _ in [MetricFamily("things", .gauge, "Things.", [.init([("kind", "a\"b")], 2)])] },
      declare: { router in
        router.post("/users") { request, _ in JSONResponse(["email": try await request.decodeJSON(NewUser.self).email])
        }
        router.get("/users/:id") { _, context in
          let id: UserID = try context.id("id", of: .user)
          return JSONResponse(["id": id])
        }
        router.get("/texts/:text") { _, context in JSONResponse(["text": try context.text("text")]) }
        router.get("/busy") { _, _ -> Response in
          var error = ServiceError(.tooManyRequests, "Wait.", retryAfter: 7)
          error.rateLimit = 5
          throw error
        }
        router.get("/broken") { _, _ -> Response in throw NSError(domain: "secret detail", code: 1) }
      })
    try await Application(router: routes.router).test(.router, body)
  }

  private func problem(_ response: TestResponse) throws -> Problem {
    #expect(response.headers[.contentType] == "application/problem+json")
    return try JSON.decoder.decode(Problem.self, from: Data(buffer: response.body))
  }

  @Test(arguments: [
    ("", 400, "malformed_request"), ("[]", 400, "malformed_request"), ("null", 400, "malformed_request"),
    ("{\"email\":", 400, "malformed_request"), ("{\"email\":\"a\\u0000\",\"password\":\"b\"}", 422, "invalid_field"),
    ("{\"email\":\"a\"}", 422, "invalid_field"), ("{\"email\":1,\"password\":\"b\"}", 422, "invalid_field"),
    ("{\"email\":null,\"password\":\"b\"}", 422, "invalid_field"),
    ("{\"email\":\"a\",\"password\":\"b\",}", 400, "malformed_request"),
    ("{\"email\":\"a\",\"password\":\"b\",\"quota\":{\"vms\":1 , }}", 400, "malformed_request"),
    ("{\"email\":\"a\",\"password\":[1,]}", 400, "malformed_request"),
    ("{\"email\":\"a\",\"password\":\"b\",\"x\":1}", 422, "invalid_field"),
    (String(repeating: "[", count: 100_000), 400, "malformed_request"),
    ("{\"email\":" + String(repeating: "[", count: 100_000), 400, "malformed_request"),
  ])
  func badBodiesAreRefusedWithAReason(_ body: String, _ status: Int, _ code: String) async throws {
    try await withService { client in
      try await client.execute(uri: "/users", method: .post, body: ByteBuffer(string: body)) { response in
        let problem = try self.problem(response)
        #expect(problem.status == status && problem.code == code && response.status.code == status)
      }
    }
  }

  @Test func invalidUTF8AndUTF16AreRefused() async throws {
    try await withService { client in
      for bytes: [UInt8] in [
        [0xff, 0xfe, 0x7b, 0x00], [0x7b, 0x22, 0xc3, 0x28, 0x22], [0xef, 0xbb, 0xbf, 0x7b, 0x7d],
      ] {
        try await client.execute(uri: "/users", method: .post, body: ByteBuffer(bytes: bytes)) {
          #expect($0.status == .badRequest)
        }
      }
    }
  }

  @Test func aLargeBodyIsRefused() async throws {
    try await withService { client in
      let body = ByteBuffer(repeating: UInt8(ascii: " "), count: (1 << 20) + 1)
      try await client.execute(uri: "/users", method: .post, body: body) { #expect($0.status == .contentTooLarge) }
    }
  }

  @Test func otherContentTypesAreRefused() async throws {
    try await withService { client in
      for headers: HTTPFields in [
        [.contentType: "text/plain"], [.contentType: "application/jsonx"],
        [.contentType: "application/json-patch+json"],
        [.contentEncoding: "gzip"],
      ] {
        try await client.execute(uri: "/users", method: .post, headers: headers, body: ByteBuffer(string: "{}")) {
          #expect($0.status == .unsupportedMediaType)
        }
      }
    }
  }

  @Test(arguments: ["application/json", "Application/JSON; charset=utf-8", "application/json ;charset=utf-8"])
  func jsonIsTakenUnderItsNames(_ type: String) async throws {
    try await withService { client in
      let body = ByteBuffer(string: #"{"email":"a,}","password":"b,]"}"#)
      try await client.execute(uri: "/users", method: .post, headers: [.contentType: type], body: body) {
        #expect($0.status == .ok)
      }
    }
  }

  @Test func textInAPathIsText() async throws {
    try await withService { client in
      for (path, status) in [("a%40b", 200), ("%00", 400), ("a%0ab", 400), ("%ff", 400)] {
        try await client.execute(uri: "/texts/\(path)", method: .get) { #expect($0.status.code == status, "\(path)") }
      }
    }
  }

  @Test func unknownPathsAndVerbs() async throws {
    try await withService { client in
      try await client.execute(uri: "/nothing", method: .get) { #expect($0.status == .notFound) }
      try await client.execute(uri: "/users", method: .delete) { response in
        #expect(response.status == .methodNotAllowed)
        #expect(response.headers[.allow] == "POST")
      }
      try await client.execute(uri: "/users/x", method: .trace) { #expect($0.status == .methodNotAllowed) }
    }
  }

  @Test(arguments: ["x", "..%2F..%2Fetc", "%00", String(repeating: "a", count: 5000)])
  func whatIsNoIdIsNotFound(_ id: String) async throws {
    try await withService { client in
      try await client.execute(uri: "/users/\(id)", method: .get) { #expect($0.status == .notFound) }
    }
  }

  @Test func whoMustWaitIsToldHowLongAndWhy() async throws {
    try await withService { client in
      try await client.execute(uri: "/busy", method: .get) { response in
        #expect(response.status == .tooManyRequests && response.headers[.retryAfter] == "7")
        #expect(response.headers[.rateLimitLimit] == "5" && response.headers[.rateLimitRemaining] == "0")
        #expect(response.headers[.rateLimitReset] == "7")
      }
    }
  }

  @Test func defectsTellNothing() async throws {
    try await withService { client in
      try await client.execute(uri: "/broken", method: .get) { response in
        #expect(response.status == .internalServerError)
        #expect(!String(buffer: response.body).contains("secret"))
      }
    }
  }

  @Test func theRequestIdIsKeptWhenItIsOne() async throws {
    try await withService { client in
      try await client.execute(uri: "/health", method: .get, headers: [.requestID: "abc-123"]) {
        #expect($0.headers[.requestID] == "abc-123")
      }
      for bad in ["", String(repeating: "a", count: 65), "a b", "ü"] {
        try await client.execute(uri: "/health", method: .get, headers: [.requestID: bad]) {
          #expect($0.headers[.requestID] != bad && $0.headers[.requestID]?.isEmpty == false)
        }
      }
    }
  }

  @Test func metricsCountRequests() async throws {
    try await withService { client in
      try await client.execute(uri: "/health", method: .get) { #expect($0.status == .ok) }
      try await client.execute(uri: "/metrics", method: .get) { response in
        let text = String(buffer: response.body)
        #expect(text.contains("# HELP http_requests_total Answered requests.\n# TYPE http_requests_total counter\n"))
        #expect(text.contains("# HELP things Things.\n# TYPE things gauge\nthings{kind=\"a\\\"b\"} 2.0\n"))
        #expect(text.contains(#"http_requests_total{method="GET",route="/health",status="200"}"#))
      }
    }
  }
}
