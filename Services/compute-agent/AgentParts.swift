import AsyncHTTPClient
import Crypto
import Foundation
import Libvirt
import Logging
import Models
import ServiceKit

/// The parts of an agent, put together.
///
/// A connection to libvirt does one thing after another: commands, what is told of the host, what guests' agents are asked,
/// and copies of disks have one each, so that none waits for what another waits for.
struct AgentParts: Sendable {
  let folders: AgentFolders
  let fences: Fences
  let facts: HostFactsReader
  let views: VMFolders
  let digests: FileDigests
  let captures: Captures
  let arrivals: ArrivalDownloads
  let reports: Reports
  let lifecycle: VMLifecycle
  let prober: ReadinessProber
  let meters: Meters
  private let reading: Hypervisor

  /// - Throws: `SettingsError`.
  init(
    _ settings: Settings, _ own: AgentSettings, folders: AgentFolders, virtualisation: Virtualisation,
    client: HTTPClient, logger: Logger
  ) throws {
    let (uri, network, state) = (own.libvirtURI, own.network, own.state)
    let shared = LibvirtConnection(uri: uri)
    // Each connection to libvirt's own test driver would have a world of its own.
    func connection() -> LibvirtConnection { uri.hasPrefix("test:") ? shared : LibvirtConnection(uri: uri) }
    func hypervisor() -> Hypervisor { Hypervisor(libvirt: connection(), network: network) }
    let (commands, reading, copying) = (hypervisor(), hypervisor(), hypervisor())
    let (book, queue) = (ReadinessBook(), VMQueue())
    let cache = try ImageCache(
      folder: "\(state)/cache",
      limit: Int64(try settings.integer("cache.gib", default: 20, in: 0...1_048_576)) << 30,
      download: ImageFetch(client: client))

    self.folders = folders
    fences = try Fences(folder: folders.generations)
    views = VMFolders(folders: folders)
    digests = FileDigests()
    facts = HostFactsReader(
      libvirt: reading.libvirt, virtualisation: virtualisation, folder: folders.vms,
      bootIDFile: settings.optional("boot.id.file") ?? "/proc/sys/kernel/random/boot_id")
    let images = BaseImages(
      folder: own.images, cache: cache, digests: digests)
    arrivals = ArrivalDownloads(images: images, logger: logger)
    meters = Meters(
      libvirt: reading.libvirt,
      interval: .seconds(try settings.integer("meter.seconds", default: 10, in: 1...3600)), logger: logger)
    self.reading = reading
    reports = Reports(
      hypervisor: reading, facts: facts, views: views, book: book, queue: queue, arrivals: arrivals, meters: meters)
    let freezer = Freezer(libvirt: copying.libvirt, folders: folders, views: views, logger: logger)
    captures = Captures(
      work: CaptureWork(
        hypervisor: copying, freezer: freezer, folders: folders, views: views, turnstile: Turnstile()),
      freezer: freezer, folders: folders, fences: fences, queue: queue, logger: logger)
    lifecycle = VMLifecycle(
      hypervisor: commands, disks: VMDisks(images: images),
      shape: HostShape(virtualisation: virtualisation, arch: HostShape.ownArch, network: network),
      power: PowerControl(hypervisor: commands, book: book, views: views),
      capper: Capper(hypervisor: commands, logger: logger), captures: captures, arrivals: arrivals, book: book,
      folders: folders, views: views, reports: reports, fences: fences, queue: queue)
    prober = ReadinessProber(
      hypervisor: reading, book: book,
      questions: GuestQuestions(
        libvirt: connection(), book: book, folders: views, logger: logger),
      folders: folders, views: views, logger: logger)
  }

  /// - Parameter token: Of who may see what guests use.
  func gauges(token: SymmetricKey) -> AgentGauges {
    AgentGauges(hypervisor: reading, facts: facts, meters: meters, token: token)
  }

  /// - Parameters:
  ///   - fingerprint: Of this agent's certificate.
  ///   - key: By which offers are signed.
  func offers(fingerprint: String, key: SymmetricKey) -> Offers {
    Offers(
      hypervisor: lifecycle.hypervisor, captures: captures, folders: folders, digests: digests,
      signer: OfferSigner(key: key), fences: fences, queue: lifecycle.queue, fingerprint: fingerprint)
  }
}
