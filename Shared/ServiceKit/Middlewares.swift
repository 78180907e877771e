import Crypto
import Foundation
import HTTPTypes
import Hummingbird
import Logging
import Models

/// Gives each request its id, answers errors as problem documents, and logs and counts what was answered.
public struct RequestMiddleware: RouterMiddleware {
  let routes: RouteTable

  public func handle(
    _ request: Request, context: ServiceContext, next: (Request, ServiceContext) async throws -> Response
  ) async throws -> Response {
    var context = context
    context.requestID = Self.requestID(of: request)
    context.logger = Logger(label: "http")
    context.logger[metadataKey: "requestId"] = "\(context.requestID)"
    let start = ContinuousClock.now
    var response: Response
    do { response = try await next(request, context) } catch {
      response = problem(for: error, of: request, context: context)
    }
    response.headers[.requestID] = context.requestID
    response.headers[.xContentTypeOptions] = "nosniff"
    record(response, to: request, took: ContinuousClock.now - start, context: context)
    return response
  }

  private func problem(for error: any Error, of request: Request, context: ServiceContext) -> Response {
    var error = ServiceError.of(error)
    var headers: HTTPFields = [.contentType: "application/problem+json"]
    if error.code == .notFound, let allowed = routes.methods(at: request.uri.path), !allowed.contains(request.method) {
      error = ServiceError(.methodNotAllowed, "\(request.method) is not possible here.")
      headers[.allow] = allowed.map(\.rawValue).sorted().joined(separator: ", ")
    }
    if let seconds = error.retryAfter {
      headers[.retryAfter] = String(seconds)
      if let limit = error.rateLimit {
        headers[.rateLimitLimit] = String(limit)
        headers[.rateLimitRemaining] = "0"
        headers[.rateLimitReset] = String(seconds)
      }
    }
    PrometheusRegistry.shared.recordProblem(code: error.code.rawValue)
    let level: Logger.Level = error.code.status.code >= 500 ? .error : .debug
    context.logger.log(
      level: level, "request refused", metadata: ["code": "\(error.code.rawValue)", "detail": "\(error.detail ?? "")"])
    let body = (try? JSON.encoder.encode(Problem(error, requestID: context.requestID))) ?? Data()
    return Response(status: error.code.status, headers: headers, body: .init(byteBuffer: ByteBuffer(bytes: body)))
  }

  private func record(_ response: Response, to request: Request, took: Duration, context: ServiceContext) {
    let route = context.endpointPath ?? "none"
    PrometheusRegistry.shared.recordRequest(
      method: request.method.rawValue, route: route, status: response.status.code, seconds: took.seconds)
    let level: Logger.Level = ["/health", "/metrics"].contains(request.uri.path) ? .trace : .info
    context.logger.log(
      level: level, "answered",
      metadata: [
        "method": "\(request.method)", "path": "\(Text.printable(request.uri.path, limit: 256))",
        "status": "\(response.status.code)", "milliseconds": "\(Int(took.seconds * 1000))",
      ])
  }

  /// The id the client sent, if it is one (1 to 64 letters, digits and hyphens), else a new one.
  private static func requestID(of request: Request) -> String {
    if let given = request.headers[.requestID], (1...64).contains(given.utf8.count),
      given.utf8.allSatisfy({ $0 == 0x2d || ($0 < 0x80 && Character(Unicode.Scalar($0)).isLetterOrDigit) })
    {
      return given
    }
    return UUIDText.make().description
  }
}

extension Character {
  fileprivate var isLetterOrDigit: Bool { isLetter || isNumber }
}

extension Duration {
  public var seconds: Double {
    Double(components.seconds) + Double(components.attoseconds) / 1e18
  }
}

/// Which verbs each path takes.
public struct RouteTable: Sendable {
  private let routes: [(segments: [String], method: HTTPRequest.Method)]

  /// - Parameter routes: Paths with parameters in braces or after a colon, and their verbs.
  public init(_ routes: [(path: String, method: HTTPRequest.Method)]) {
    self.routes = routes.map { (Self.segments($0.path), $0.method) }
  }

  /// The verbs of the routes whose path fits; nil when none does.
  func methods(at path: String) -> Set<HTTPRequest.Method>? {
    let segments = Self.segments(path)
    let fitting = routes.filter { route in
      route.segments.count == segments.count
        && zip(route.segments, segments).allSatisfy { $0 == $1 || $0.hasPrefix("{") || $0.hasPrefix(":") }
    }
    return fitting.isEmpty ? nil : Set(fitting.map(\.method))
  }

  private static func segments(_ path: String) -> [String] { path.split(separator: "/").map(String.init) }
}

/// Lets in only the services of this installation, each known by a secret of its own.
public struct ServiceCredentials: Sendable {
  private let digests: [(name: String, digest: SHA256Digest)]

  /// `callers` lists who may call, as `name=file` separated by commas; the file holds that caller's secret.
  public init(_ settings: Settings) throws {
    let entries = settings.list("callers")
    guard !entries.isEmpty else { throw SettingsError("IAAS_CALLERS must list who may call, as name=file.") }
    digests = try entries.map { entry in
      let parts = entry.split(separator: "=", maxSplits: 1).map(String.init)
      guard parts.count == 2 else { throw SettingsError("IAAS_CALLERS has '\(entry)', which is not name=file.") }
      let secret = try Settings.secret(atPath: parts[1], variable: "IAAS_CALLERS")
      return (parts[0], SHA256.hash(data: Data(secret.utf8)))
    }
  }

  public init(secrets: [String: String]) {
    digests = secrets.map { ($0.key, SHA256.hash(data: Data($0.value.utf8))) }
  }

  /// Compares digests, which takes the same time wherever two secrets differ.
  func caller(presenting secret: String) -> String? {
    let digest = SHA256.hash(data: Data(secret.utf8))
    return digests.first { $0.digest == digest }?.name
  }
}

/// Refuses whoever presents none of the credentials.
public struct ServiceCredentialMiddleware: RouterMiddleware {
  let credentials: ServiceCredentials

  public init(_ credentials: ServiceCredentials) { self.credentials = credentials }

  public func handle(
    _ request: Request, context: ServiceContext, next: (Request, ServiceContext) async throws -> Response
  ) async throws -> Response {
    guard let secret = request.bearerToken, credentials.caller(presenting: secret) != nil else {
      throw ServiceError(.unauthenticated, "This port serves the services of the installation.")
    }
    return try await next(request, context)
  }
}

extension Request {
  /// What stands after `Bearer` in the one Authorization header.
  public var bearerToken: String? {
    guard let value = headers[.authorization], value.hasPrefix("Bearer ") else { return nil }
    return String(value.dropFirst("Bearer ".count))
  }
}
