import Clients
import Foundation
import Logging
import Models
import Persistence
import Postgres
import ServiceKit
import ServiceLifecycle

/// The composition root of inventory-service.
public enum InventoryServiceApplication {
  /// Makes what lives as long as the process.
  public static func build(_ settings: Settings, _ logger: Logger) async throws -> [any Service] {
    let listen = try ListenSettings(settings, defaultPort: 7002)
    let credentials = try ServiceCredentials(settings)
    let seal = SealBox(key: try KeyFile.load(path: try settings.required("seal.key")))
    let policy = try AddressPolicy(allowed: settings.list("import.allow"))
    let files = try ImageFiles(folder: settings.optional("images.dir") ?? "/export/iaas/images")
    let limits = try ImportLimits(settings)
    let defaults = VMDefaults(
      mem: try settings.integer("vm.mem", default: 512, in: 16...4_194_304),
      vcpus: try settings.integer("vm.vcpus", default: 1, in: 1...256))
    let pool = try await Database.open(settings, migrator: inventoryMigrator, logger: logger)

    let agents = AgentClients()
    let operations = OperationStore(pool: pool)
    let signal = OperationSignal(
      connection: PostgresConnection(conninfo: Database.conninfo(try settings.required("postgres"))), logger: logger)
    let hosts = Hosts(store: HostStore(pool: pool), agents: agents, seal: seal)
    let images = ImageStore(pool: pool)
    let download = ImageDownload(policy: policy, limit: limits.file, stallSeconds: 30)
    let loop = ControlLoop(
      store: operations,
      vms: VMWork(store: VMIntentStore(pool: pool), operations: operations, hosts: hosts),
      images: ImageImport(
        store: images, operations: operations, files: files, download: download, diskLimit: limits.disk),
      signal: signal, logger: logger)
    let routes = InventoryRoutes(
      hosts: hosts, images: Images(store: images, policy: policy),
      vms: VMs(store: VMStore(pool: pool), defaults: defaults),
      operations: Operations(store: operations, signal: signal), credentials: credentials
    ).routes
    return [
      ClientLifetime { await agents.shutdown() }, signal, loop, HostReporter(hosts: hosts, logger: logger),
      ImageSweeper(store: images, files: files, logger: logger),
      try HTTPServer.make(routes, listen: listen, name: "inventory-service", tls: nil, logger: logger),
    ]
  }
}

/// How large what is imported may be, in bytes.
struct ImportLimits: Sendable {
  var file: Int64
  var disk: Int64

  /// `import.file.gib` (default 50) and `import.disk.gib` (default 1024).
  init(_ settings: Settings) throws {
    file = Int64(try settings.integer("import.file.gib", default: 50, in: 1...65_536)) << 30
    disk = Int64(try settings.integer("import.disk.gib", default: 1024, in: 1...65_536)) << 30
  }
}
