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
    let key = try KeyFile.load(path: try settings.required("seal.key"))
    let policy = try AddressPolicy(allowed: settings.list("import.allow"))
    let limits = try ImportLimits(settings)
    let files = try ImageFiles(
      folder: settings.optional("images.dir") ?? "/export/iaas/images",
      reserve: Int64(try settings.integer("images.reserve.mib", default: 1024, in: 0...1 << 30)) << 20)
    let patience = DownloadPatience(
      stallSeconds: Int64(try settings.integer("import.stall.seconds", default: 30, in: 1...3600)))
    try await Sandbox.probe(in: files.staging)
    let defaults = VMDefaults(
      mem: try settings.integer("vm.mem", default: 512, in: 16...4_194_304),
      vcpus: try settings.integer("vm.vcpus", default: 1, in: 1...256))
    let pool = try await Database.open(settings, migrator: inventoryMigrator, logger: logger)

    let agents = AgentClients()
    let operations = OperationStore(
      pool: pool, leaseSeconds: try settings.integer("lease.seconds", default: 15, in: 2...300))
    let signal = OperationSignal(
      connection: PostgresConnection(conninfo: Database.conninfo(try settings.required("postgres"))), logger: logger)
    let hosts = Hosts(
      store: HostStore(pool: pool), agents: agents, seal: SealBox(key: key, purpose: "swift-iaas agent secret v1"))
    let images = ImageStore(pool: pool, leaseSeconds: operations.leaseSeconds)
    let imports = ImageImportStore(pool: pool)
    let vms = VMStore(pool: pool)
    let shares = ShareStore(pool: pool)
    let keys = SSHKeyStore(pool: pool)
    let content = ImageContent(
      base: settings.optional("content.url") ?? contentURL(listen), secret: key, store: imports, files: files)
    let loop = ControlLoop(
      store: operations,
      vms: VMWork(
        store: VMIntentStore(pool: pool), operations: operations, hosts: hosts, content: content,
        graceSeconds: Double(try settings.integer("stop.grace.seconds", default: 30, in: 0...3600))),
      images: ImageImport(
        store: imports, operations: operations, files: files,
        download: ImageDownload(policy: policy, patience: patience), hosts: hosts, limits: limits),
      hosts: HostRemoval(store: hosts.store),
      signal: signal, logger: logger)
    let routes = InventoryRoutes(
      hosts: hosts, images: Images(store: images, policy: policy, files: files, catalogue: try WellKnownImages()),
      vms: VMs(
        store: vms, snapshots: SnapshotStore(pool: pool), samples: SampleStore(pool: pool), hosts: hosts,
        signal: signal,
        defaults: defaults),
      shares: Shares(store: shares), keys: SSHKeys(store: keys),
      personalData: PersonalData(
        images: images, vms: vms, shares: shares, keys: keys, operations: operations, quotas: QuotaStore(pool: pool)),
      quotas: Quotas(store: QuotaStore(pool: pool)), operations: Operations(store: operations, signal: signal),
      gauges: GaugeStore(pool: pool),
      upload: ImageUpload(store: images, imports: imports, operations: operations, files: files, limits: limits),
      content: content, credentials: credentials
    ).routes
    return [
      ClientLifetime { await agents.shutdown() }, signal, loop,
      HostReporter(
        hosts: hosts, reports: ReportStore(pool: pool), meters: MeterStore(pool: pool), logger: logger),
      SampleKeeper(store: SampleStore(pool: pool), logger: logger),
      ImageSweeper(store: imports, shares: shares, files: files, logger: logger),
      try HTTPServer.make(routes, listen: listen, name: "inventory-service", tls: nil, logger: logger),
    ]
  }
}

/// Where other machines reach this service, as far as it knows: one that listens everywhere goes by its name.
private func contentURL(_ listen: ListenSettings) -> String {
  let isAny = ["0.0.0.0", "::"].contains(listen.host)
  let host = isAny ? ProcessInfo.processInfo.hostName : listen.host
  return "http://\(host.contains(":") ? "[\(host)]" : host):\(listen.port)"
}

extension ImportLimits {
  /// `import.file.gib` (default 50) and `import.disk.gib` (default 1024).
  init(_ settings: Settings) throws {
    file = Int64(try settings.integer("import.file.gib", default: 50, in: 1...65_536)) << 30
    disk = Int64(try settings.integer("import.disk.gib", default: 1024, in: 1...65_536)) << 30
  }
}
