import HTTPTypes
import Hummingbird
import HummingbirdCore
import HummingbirdTLS
import Logging
import Metrics
import NIOCore
import NIOSSL
import ServiceLifecycle

/// A service's routes, the same in the process and in tests.
public struct ServiceRoutes {
  public let router: Router<ServiceContext>

  /// Declares the routes within; then the table of verbs is known, and what every service has is around them.
  /// - Parameters:
  ///   - isReady: Throws when something that the service cannot do without is away.
  ///   - scrape: What Prometheus is told besides what the process counts; throws for who may not know.
  public init(
    isReady: @escaping @Sendable () async throws -> Void,
    scrape: @escaping @Sendable (Request) async throws -> [MetricFamily], declare: (Router<ServiceContext>) -> Void
  ) {
    let declared = Router(context: ServiceContext.self)
    Self.declareCommon(on: declared, isReady, scrape)
    declare(declared)
    let table = RouteTable(declared.routes.map { ($0.path.description, $0.method) })
    let router = Router(context: ServiceContext.self)
    router.add(middleware: RequestMiddleware(routes: table))
    Self.declareCommon(on: router, isReady, scrape)
    declare(router)
    self.router = router
  }

  private static func declareCommon(
    on router: Router<ServiceContext>, _ isReady: @escaping @Sendable () async throws -> Void,
    _ scrape: @escaping @Sendable (Request) async throws -> [MetricFamily]
  ) {
    router.get("/health") { _, _ in JSONResponse(["status": "ok"]) }
    router.get("/ready") { _, _ in
      try await isReady()
      return JSONResponse(["status": "ok"])
    }
    router.get("/metrics") { request, _ in
      let families = try await scrape(request)
      return Response(
        status: .ok, headers: [.contentType: "text/plain; version=0.0.4; charset=utf-8"],
        body: .init(
          byteBuffer: ByteBuffer(
            string: PrometheusRegistry.shared.exposition() + families.map(\.exposition).joined())))
    }
  }
}

/// The one HTTP server set-up.
public enum HTTPServer {
  /// A server for the routes: idle connections end after 75 s, headers are at most 16 KiB, and requests in flight
  /// are finished when the process is asked to stop.
  /// - Parameter tls: The server's certificate and key; nil for plain HTTP behind a proxy or on loopback.
  public static func make(
    _ routes: ServiceRoutes, listen: ListenSettings, name: String, tls: TLSConfiguration?, logger: Logger
  ) throws -> some Service {
    var channel = HTTP1Channel.Configuration(idleTimeout: .seconds(75))
    channel.httpDecoder = .init(maxHeaderFieldSize: 16_384, maxHeaderListSize: 16_384, maxHeaderFieldCount: 100)
    let plain = HTTPServerBuilder.http1(configuration: channel)
    return Application(
      router: routes.router, server: try tls.map { try .tls(plain, tlsConfiguration: $0) } ?? plain,
      configuration: .init(address: .hostname(listen.host, port: listen.port), serverName: name),
      onServerRunning: { channel in
        logger.info("listening", metadata: ["address": "\(channel.localAddress.map(String.init(describing:)) ?? "")"])
      }, logger: logger)
  }
}
