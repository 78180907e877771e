import Clients
import Foundation
import Logging
import Models
import ServiceKit
import ServiceLifecycle

/// The composition root of the gateway.
public enum GatewayApplication {
  /// Makes what lives as long as the process.
  public static func build(_ settings: Settings, _ logger: Logger) async throws -> [any Service] {
    let listen = try ListenSettings(settings, defaultPort: 8080)
    let secret = try settings.contents("caller.secret")
    let proxies = try settings.list("proxies").map { text in
      guard let range = AddressRange(text) else {
        throw SettingsError("IAAS_PROXIES has '\(text)', which is neither an address nor a range such as 10.0.0.0/8.")
      }
      return range
    }
    let client = InternalHTTP.makeClient()
    func peer(_ url: String, _ noun: String) -> ServicePeer {
      ServicePeer(client: client, url: url, secret: secret, noun: noun)
    }
    let routes = GatewayRoutes(
      auth: AuthClient(peer: peer(settings.optional("auth.url") ?? "http://127.0.0.1:7001", "The auth-service")),
      inventory: InventoryClient(
        peer: peer(settings.optional("inventory.url") ?? "http://127.0.0.1:7002", "The inventory-service")),
      proxies: proxies, quotas: try QuotaPolicy.load(settings.optional("quotas"))
    ).routes
    return [
      ClientLifetime { try await client.shutdown() },
      try HTTPServer.make(routes, listen: listen, name: "gateway", tls: nil, logger: logger),
    ]
  }
}
