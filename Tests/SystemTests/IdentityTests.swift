import Foundation
import Models
import TestSupport
import Testing

/// Users, sessions and what protects them, as clients meet them.
extension SystemTests {
  static let password = "three small words"

  /// Someone new, logged in.
  func newUser(_ password: String = SystemTests.password) async throws -> (api: APIUser, user: Models.User) {
    let email = "person+\(UUID().uuidString.prefix(8))@example.org"
    let added = try await admin.call(.POST, "/iaas/users", ["email": email, "password": password])
    let user = try added.json(Models.User.self)
    return (try await stack.logIn(email: email, password: password), user)
  }

  func remove(_ user: Models.User) async throws {
    let reply = try await admin.call(.DELETE, "/iaas/users/\(user.id)")
    #expect(reply.status == 204, "\(reply)")
  }

  private struct Document: Decodable {
    struct Operation: Decodable { let security: [[String: [String]]]? }
    let paths: [String: [String: Operation]]
  }

  /// What a route answers to its own person, to another one and to an administrator. Ids of people and images are the
  /// first one's own where something is read or changed, and made up where something is removed.
  private static let matrix: [String: (own: Int, other: Int, admin: Int)] = [
    "GET /iaas/health": (200, 200, 200), "GET /iaas/ready": (200, 200, 200), "GET /iaas/openapi.json": (200, 200, 200),
    "GET /iaas/me": (200, 200, 200), "GET /iaas/catalogue": (200, 200, 200),
    "GET /iaas/sessions": (200, 200, 200), "POST /iaas/sessions": (422, 422, 422),
    "DELETE /iaas/sessions": (204, 204, 204), "DELETE /iaas/sessions/{sessionId}": (404, 404, 404),
    "GET /iaas/users": (200, 200, 200), "POST /iaas/users": (422, 422, 422),
    "GET /iaas/users/{userId}": (200, 404, 200), "PUT /iaas/users/{userId}": (200, 404, 200),
    "DELETE /iaas/users/{userId}": (403, 403, 404), "GET /iaas/users/{userId}/export": (200, 404, 200),
    "POST /iaas/users/{userId}/totp": (422, 422, 422), "PUT /iaas/users/{userId}/totp": (422, 422, 422),
    "DELETE /iaas/users/{userId}/totp": (404, 404, 404),
    "GET /iaas/invitations": (403, 403, 200), "POST /iaas/invitations": (403, 403, 201),
    "DELETE /iaas/invitations/{invitationId}": (403, 403, 404), "GET /iaas/audit": (403, 403, 200),
    "GET /iaas/hosts": (200, 200, 200), "POST /iaas/hosts": (422, 422, 422),
    "GET /iaas/hosts/{hostId}": (404, 404, 404), "PUT /iaas/hosts/{hostId}": (403, 403, 404),
    "DELETE /iaas/hosts/{hostId}": (403, 403, 404),
    "GET /iaas/images": (200, 200, 200), "POST /iaas/images": (422, 422, 422),
    "GET /iaas/images/{imgId}": (200, 404, 200), "PUT /iaas/images/{imgId}": (200, 404, 200),
    "PUT /iaas/images/{imgId}/content": (415, 415, 415), "DELETE /iaas/images/{imgId}": (404, 404, 404),
    "GET /iaas/images/{imgId}/shares": (200, 404, 200), "POST /iaas/images/{imgId}/shares": (422, 422, 422),
    "DELETE /iaas/images/{imgId}/shares/{userId}": (404, 404, 404),
    "GET /iaas/vms": (200, 200, 200), "POST /iaas/vms": (422, 422, 422), "GET /iaas/vms/{vmId}": (404, 404, 404),
    "PUT /iaas/vms/{vmId}": (422, 422, 422), "DELETE /iaas/vms/{vmId}": (404, 404, 404),
    "GET /iaas/vms/{vmId}/shares": (404, 404, 404), "POST /iaas/vms/{vmId}/shares": (422, 422, 422),
    "DELETE /iaas/vms/{vmId}/shares/{userId}": (404, 404, 404), "POST /iaas/vms/{vmId}/snapshots": (422, 422, 422),
    "GET /iaas/vms/{vmId}/metrics": (404, 404, 404), "GET /iaas/users/{userId}/events": (200, 404, 200),
    "GET /iaas/usage/events": (403, 403, 200), "POST /iaas/placements": (422, 422, 422),
    "GET /iaas/vms/{vmId}/console/live": (404, 404, 404), "POST /iaas/vms/{vmId}/console": (422, 422, 422),
    "GET /iaas/vms/{vmId}/console": (404, 404, 404), "GET /iaas/keys": (200, 200, 200),
    "POST /iaas/keys": (422, 422, 422), "GET /iaas/keys/{keyId}": (404, 404, 404),
    "PUT /iaas/keys/{keyId}": (404, 404, 404), "DELETE /iaas/keys/{keyId}": (404, 404, 404),
    "GET /iaas/users/{userId}/usage": (200, 404, 200), "GET /iaas/usage": (403, 403, 200),
    "GET /iaas/operations": (200, 200, 200), "GET /iaas/operations/{operationId}": (404, 404, 404),
  ]

  /// Every route of the document, for everyone who may come: a new route without a row fails.
  @Test func everyRouteAnswersEveryoneAsItShould() async throws {
    let document = try await admin.call(.GET, "/iaas/openapi.json").json(Document.self)
    let (own, user) = try await newUser()
    let (other, second) = try await newUser()
    let (disabled, third) = try await newUser()
    let (ended, fourth) = try await newUser()
    #expect(try await ended.call(.DELETE, "/iaas/sessions").status == 204)
    #expect(try await admin.call(.PUT, "/iaas/users/\(third.id)", ["disabled": true]).status == 200)
    let image = try await own.call(.POST, "/iaas/images", ["name": "mine"]).json(Models.Image.self)
    let stranger = APIUser(url: admin.url, token: nil)
    var routes: Set<String> = []
    for (path, methods) in document.paths {
      for (method, operation) in methods {
        let route = "\(method.uppercased()) \(path)"
        routes.insert(route)
        let isRemoval = method == "delete"
        let real = path.replacing("{userId}", with: "\(isRemoval ? .make() : user.id)")
          .replacing("{imgId}", with: "\(isRemoval ? .make() : image.id)")
          .replacing(/\{[^}]*\}/, with: UUIDText.make().description)
        func status(_ caller: APIUser) async throws -> Int {
          // Its own session would be the one that ends.
          let caller =
            route == "DELETE /iaas/sessions" && caller.token == admin.token
            ? try await stack.administrator() : caller
          let body: [String: String]? = method == "get" ? nil : [:]
          return try await caller.call(.init(rawValue: method.uppercased()), real, body).status
        }
        let expected = try #require(Self.matrix[route], "\(route) has no row")
        let isOpen = operation.security.map { $0.isEmpty || $0.contains([:]) } ?? false
        if isOpen {
          // Without a token an account cannot be made here; all else answers alike.
          #expect(try await status(stranger) == expected.own, "\(route)")
        } else {
          for (name, caller) in [("no token", stranger), ("ended", ended), ("disabled", disabled)] {
            #expect(try await status(caller) == 401, "\(route), \(name)")
          }
        }
        if route == "DELETE /iaas/sessions" { continue }
        #expect(try await status(own) == expected.own, "\(route), own")
        #expect(try await status(other) == expected.other, "\(route), other")
        #expect(try await status(admin) == expected.admin, "\(route), administrator")
      }
    }
    #expect(Set(Self.matrix.keys).subtracting(routes) == [])
    for person in [user, second, third, fourth] { try await remove(person) }
    // What they alone owned went with them.
    #expect(try await admin.call(.GET, "/iaas/images/\(image.id)").status == 404)
  }

  /// A gateway beside the one of the stack, configured alike.
  func withSecondGateway(_ body: (String) async throws -> Void) async throws {
    let pid = try #require(try stack.description().pids["gateway"])
    let raw = try Data(contentsOf: URL(fileURLWithPath: "/proc/\(pid)/environ"))
    var environment: [String: String] = [:]
    for entry in raw.split(separator: 0) {
      let parts = String(decoding: entry, as: UTF8.self).split(separator: "=", maxSplits: 1)
      if parts.count == 2 { environment[String(parts[0])] = String(parts[1]) }
    }
    let port = try await Shell.run(
      "python3", "-c", "import socket; s = socket.socket(); s.bind(('127.0.0.1', 0)); print(s.getsockname()[1], end='')"
    )
    environment["IAAS_HTTP_PORT"] = port
    let process = Process()
    process.executableURL = URL(fileURLWithPath: "\(try TestEnvironment.required("BIN"))/gateway")
    process.environment = environment
    process.standardError = FileHandle.nullDevice
    process.standardOutput = FileHandle.nullDevice
    try process.run()
    defer {
      kill(process.processIdentifier, SIGKILL)
      process.waitUntilExit()
    }
    let url = "http://127.0.0.1:\(port)"
    try await eventually("the second gateway serves") {
      (try? await APIUser(url: url, token: nil).call(.GET, "/iaas/ready").status) == 200
    }
    try await body(url)
  }

  /// After the acknowledgement, none of 1,000 requests through two gateways is served; some are on their way meanwhile.
  @Test(arguments: ["log-out", "removal", "disablement", "password"])
  func whatEndsASessionEndsItForEveryGateway(_ how: String) async throws {
    try await withSecondGateway { url in
      let (api, user) = try await newUser()
      let callers = [api, APIUser(url: url, token: api.token)]
      for caller in callers { #expect(try await caller.call(.GET, "/iaas/me").status == 200) }
      let path = "/iaas/users/\(user.id)"
      let ended =
        switch how {
        case "log-out": try await callers[1].call(.DELETE, "/iaas/sessions").status
        case "removal": try await admin.call(.DELETE, path).status
        case "disablement": try await admin.call(.PUT, path, ["disabled": true]).status
        default:
          try await callers[0].call(
            .PUT, path, ["password": "four quite small words", "currentPassword": Self.password]
          ).status
        }
      #expect(ended == 200 || ended == 204)
      let served = try await withThrowingTaskGroup(of: Int.self) { group in
        for lane in 0..<8 {
          group.addTask {
            var served = 0
            for number in 0..<125 where try await callers[(lane + number) % 2].call(.GET, "/iaas/me").status != 401 {
              served += 1
            }
            return served
          }
        }
        return try await group.reduce(0, +)
      }
      #expect(served == 0)
      if how != "removal" { try await remove(user) }
    }
  }

  /// A flood of log-ins leaves memory bounded and everyone else served.
  @Test func aFloodOfLogInsHarmsNobodyElse() async throws {
    let pid = try #require(try stack.description().pids["auth-service"])
    func resident() throws -> Int {
      let status = try String(contentsOfFile: "/proc/\(pid)/status", encoding: .utf8)
      return status.firstMatch(of: /VmRSS:\s+(\d+) kB/).flatMap { Int($0.1) } ?? 0
    }
    let admin = admin
    let flood = Task {
      await withTaskGroup(of: Int.self) { group in
        for number in 0..<200 {
          group.addTask {
            let body = ["email": "flood \(number)", "password": "x"]
            return (try? await APIUser(url: admin.url, token: nil).call(.POST, "/iaas/sessions", body).status) ?? 0
          }
        }
        return await group.reduce(into: [Int: Int]()) { $0[$1, default: 0] += 1 }
      }
    }
    var largest = 0
    for _ in 0..<20 {
      #expect(try await admin.call(.GET, "/iaas/me").status == 200)
      largest = max(largest, try resident())
    }
    let answers = await flood.value
    #expect(Set(answers.keys).isSubset(of: [401, 429, 503]), "\(answers)")
    // 19 MiB for each hash that is being made, and one is made for each core.
    let cores = ProcessInfo.processInfo.activeProcessorCount
    #expect(largest < (200 + 2 * 19 * cores) << 10, "\(largest) KiB")
    // Whoever floods from this address is told how long to wait, and what for.
    var refused = try await APIUser(url: admin.url, token: nil).call(
      .POST, "/iaas/sessions", ["email": "flood", "password": "x"])
    for _ in 0..<3 where refused.status != 429 {
      refused = try await APIUser(url: admin.url, token: nil).call(
        .POST, "/iaas/sessions", ["email": "flood", "password": "x"])
    }
    let seconds = try #require(refused.headers["retry-after"], "\(refused)")
    #expect(refused.status == 429 && refused.headers["ratelimit-reset"] == seconds)
    #expect(refused.headers["ratelimit-limit"] == "50" && refused.headers["ratelimit-remaining"] == "0")
    // The tests that follow do not wait.
    try await forgetAttempts()
  }

  private func forgetAttempts() async throws {
    try await Shell.run(
      "psql", "--no-psqlrc", "-q", "\(try connection()) dbname=iaas", "-c", "DELETE FROM auth.attempts")
  }

  private func connection() throws -> String {
    try String(contentsOfFile: "\(stack.state)/postgres/connection", encoding: .utf8)
      .trimmingCharacters(in: .whitespacesAndNewlines)
  }

  /// Secrets are planted, and then looked for wherever they must not be.
  @Test func secretsAreNowhereToBeFound() async throws {
    let password = "planted \(UUID().uuidString) password"
    let (api, user) = try await newUser(password)
    let path = "/iaas/users/\(user.id)"
    let enrolment = try await api.call(.POST, "\(path)/totp", ["currentPassword": password]).json(TOTPEnrolment.self)
    let wrong = "wrong \(UUID().uuidString)"
    let email = ["email": user.email, "password": wrong]
    #expect(try await APIUser(url: admin.url, token: nil).call(.POST, "/iaas/sessions", email).status == 401)
    let invitation = try await admin.call(.POST, "/iaas/invitations", [String: String]()).json(Invitation.self)
    let host = ["addr": "127.0.0.1:1", "user": "agent", "password": "planted-host-password"]
    #expect(try await admin.call(.POST, "/iaas/hosts", host).status == 422)
    let code = try #require(invitation.code)
    let secrets = [password, enrolment.secret, wrong, code, "planted-host-password", try #require(api.token)]

    func check(_ place: String, _ text: String) {
      for secret in secrets { #expect(!text.contains(secret), "\(place) has \(secret.prefix(12))…") }
    }
    for (name, log) in try stack.description().logs {
      check("the log of \(name)", try String(contentsOfFile: log, encoding: .utf8))
    }
    check("the database", try await Shell.run("pg_dump", "\(try connection()) dbname=iaas"))
    check("the processes", try await Shell.run("ps", "axww", "-o", "args"))
    check("the metrics of the gateway", try await Shell.run("curl", "-sS", "\(admin.url)/metrics"))
    for service in ["auth-service", "inventory-service"] {
      let port = try String(contentsOfFile: "\(stack.state)/run/\(service).port", encoding: .utf8)
      let url = "http://127.0.0.1:\(port.trimmingCharacters(in: .whitespacesAndNewlines))/metrics"
      check("the metrics of \(service)", try await Shell.run("curl", "-sS", url))
    }
    for route in ["\(path)/export", "/iaas/audit?sort=-createdAt&limit=200", "/iaas/users", "/iaas/sessions"] {
      check(route, try await admin.call(.GET, route).text)
    }
    #expect(try await admin.call(.DELETE, "/iaas/invitations/\(invitation.id)").status == 204)
    try await remove(user)
  }

  /// Only the gateway's secret opens the ports behind it; a claim to be somebody does not.
  @Test func theInternalPortsAnswerNobodyElse() async throws {
    let routes = [
      "auth-service": ["/v1/users", "/v1/sessions", "/v1/audit"],
      "inventory-service": ["/v1/images", "/v1/vms", "/v1/hosts"],
    ]
    for (service, paths) in routes {
      let port = try String(contentsOfFile: "\(stack.state)/run/\(service).port", encoding: .utf8)
      let url = "http://127.0.0.1:\(port.trimmingCharacters(in: .whitespacesAndNewlines))"
      let claim = ["IaaS-Caller": "\(UserID.make()) admin"]
      for path in paths {
        for caller in [
          APIUser(url: url, token: nil), APIUser(url: url, token: "Bearer wrong"),
          APIUser(url: url, token: admin.token),
        ] {
          #expect(try await caller.call(.GET, path, headers: claim).status == 401, "\(service) \(path)")
        }
      }
    }
  }

  /// The log knows of every change; headers that claim an identity change nothing.
  @Test func everyChangeIsInTheAuditLog() async throws {
    let (api, user) = try await newUser()
    let claims = ["IaaS-Caller": "\(UserID.make()) admin", "X-User-Id": "1", "X-Forwarded-For": "203.0.113.9"]
    #expect(try await api.call(.GET, "/iaas/audit", headers: claims).status == 403)
    let created = try await api.call(.POST, "/iaas/images", ["name": "seen"], headers: claims)
    let image = try created.json(Models.Image.self)
    #expect(created.headers["location"] == "/iaas/images/\(image.id)" && image.owner == user.id)
    #expect(try await api.call(.DELETE, "/iaas/images/\(image.id)", headers: claims).status == 204)
    let query = "actor%20=%20'\(user.id)'"
    let log = try await admin.call(.GET, "/iaas/audit?query=\(query)").json([AuditEntry].self)
    #expect(log.map(\.action) == ["POST /iaas/sessions", "POST /iaas/images", "DELETE /iaas/images/{image}"])
    #expect(log.map(\.status) == [201, 201, 204] && log[1].resource?.uuid == image.id.uuid)
    // This test is no proxy of ours.
    #expect(log.allSatisfy { $0.address == "127.0.0.1" })
    let export = try await api.call(.GET, "/iaas/users/\(user.id)/export")
    #expect(export.text.contains(user.email) && export.text.contains("\"operations\""))
    try await remove(user)
    let after = try await admin.call(.GET, "/iaas/audit?query=\(query)").json([AuditEntry].self)
    #expect(after.count == 3 && after.allSatisfy { $0.address == nil })
  }
}
