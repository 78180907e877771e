import AsyncHTTPClient
import Foundation
import Models
import NIOCore
import NIOHTTP1
import ServiceKit

/// The whole system, brought up for the run by the same script that `make up` calls.
public struct Stack: Sendable {
  public struct Description: Decodable, Sendable {
    public let gateway: String
    public let libvirt: String
    public let pids: [String: Int32]
    public let logs: [String: String]
  }

  public let state: String

  public init() throws { state = try TestEnvironment.required("IAAS_TEST_STATE") }

  /// The stack as it is now.
  public func description() throws -> Description {
    try JSONDecoder().decode(Description.self, from: Data(contentsOf: URL(fileURLWithPath: "\(state)/stack.json")))
  }

  /// Starts what does not run, and starts anew what is configured otherwise.
  /// - Parameter variables: Of the script, as `NAME=value`.
  public func up(with variables: String...) async throws {
    try await Shell.run("env", arguments: variables + ["\(TestEnvironment.root.path)/Deploy/stack", "up"])
  }

  /// Compares the database, the agents and the image store with one another.
  /// - Returns: What is wrong, and whether nothing is.
  public func fsck() async throws -> (report: String, isClean: Bool) {
    let outcome = try await Tool.run("\(TestEnvironment.root.path)/Deploy/stack", ["fsck"])
    return (outcome.output + outcome.errors, outcome.succeeded)
  }

  /// Ends one of the stack's processes as a power cut would.
  public func kill(_ service: String) throws {
    guard let pid = try description().pids[service] else { throw NotPrepared(name: service) }
    _ = Foundation.kill(pid, SIGKILL)
  }

  /// Someone who has logged in.
  public func logIn(email: String, password: String) async throws -> APIUser {
    let stranger = APIUser(url: try description().gateway, token: nil)
    let reply = try await stranger.call(.POST, "/iaas/sessions", ["email": email, "password": password])
    guard reply.status == 201 else { throw Shell.Failed(description: "log-in: \(reply)") }
    return APIUser(url: stranger.url, token: reply.text)
  }

  public func administrator() async throws -> APIUser {
    func read(_ name: String) throws -> String {
      try String(contentsOfFile: "\(state)/\(name)", encoding: .utf8).trimmingCharacters(in: .whitespacesAndNewlines)
    }
    return try await logIn(email: try read("admin-email"), password: try read("secrets/admin-password"))
  }
}

/// A client of the /iaas surface as simple as curl, so that what it sends is what the test says.
public struct APIUser: Sendable {
  public let url: String
  public let token: String?

  public init(url: String, token: String?) {
    self.url = url
    self.token = token
  }

  public struct Reply: CustomStringConvertible, Sendable {
    public let status: Int
    public let headers: [String: String]
    public let data: Data
    public var text: String { String(decoding: data, as: UTF8.self) }
    public var description: String { "\(status) \(text)" }

    public func json<Value: Decodable>(_: Value.Type = Value.self) throws -> Value {
      do { return try JSON.decoder.decode(Value.self, from: data) } catch {
        throw Shell.Failed(description: description)
      }
    }
  }

  public func call(
    _ method: HTTPMethod, _ path: String, _ body: (any Encodable & Sendable)? = nil, headers: [String: String] = [:],
    to address: String? = nil
  ) async throws -> Reply {
    var request = HTTPClientRequest(url: (address ?? url) + path)
    request.method = method
    if let token { request.headers.add(name: "Authorization", value: token) }
    for (name, value) in headers { request.headers.add(name: name, value: value) }
    if let body {
      request.headers.add(name: "Content-Type", value: "application/json")
      request.body = .bytes(ByteBuffer(bytes: try JSON.encoder.encode(body)))
    }
    let response = try await HTTPClient.shared.execute(request, timeout: .seconds(90))
    let received = try await response.body.collect(upTo: 8 << 20)
    return Reply(
      status: Int(response.status.code),
      headers: Dictionary(
        response.headers.map { ($0.name.lowercased(), $0.value) }, uniquingKeysWith: { first, _ in first }),
      data: Data(buffer: received))
  }
}
