import AsyncHTTPClient
import Clients
import Foundation
import Logging
import Models
import NIOSSL
import ServiceKit

/// Fetches disks from other agents, in the background. How it went is told to who asks next, and then forgotten, so that
/// asking again goes on with what is here.
actor ArrivalDownloads {
  private struct Job {
    let sha256: String
    let task: Task<Void, Never>
    /// Nil as long as it is under way.
    var failure: (any Error)?
  }

  private let images: BaseImages
  private let logger: Logger
  private var jobs: [VMID: Job] = [:]

  init(images: BaseImages, logger: Logger) {
    self.images = images
    self.logger = logger
  }

  /// The VMs that are under way to this host.
  var busy: Set<VMID> { Set(jobs.filter { $0.value.failure == nil }.keys) }

  /// Begins to fetch a VM's disk, or tells how that went.
  /// - Returns: Whether the disk is in its place.
  /// - Throws: Once how it failed.
  func isHere(_ arrival: Arrival, at paths: VMPaths) async throws -> Bool {
    let id = arrival.spec.id
    if Self.isPublished(arrival, at: paths) { return true }
    if let job = jobs[id], job.sha256 != arrival.offer.sha256 { await cancel(id) }
    guard let job = jobs[id] else {
      begin(arrival, at: paths)
      return false
    }
    guard let failure = job.failure else { return false }
    jobs[id] = nil
    throw failure
  }

  private func begin(_ arrival: Arrival, at paths: VMPaths) {
    let id = arrival.spec.id
    let task = Task {
      do {
        try await self.fetch(arrival, at: paths)
        jobs[id] = nil
      } catch {
        logger.log(
          level: error is CancellationError ? .debug : .warning, "disk not fetched",
          metadata: ["vm": "\(id)", "error": "\(String(reflecting: error))"])
        jobs[id]?.failure = error
      }
    }
    jobs[id] = Job(sha256: arrival.offer.sha256, task: task)
  }

  /// Ends the fetching of a VM's disk.
  func cancel(_ id: VMID) async {
    guard let job = jobs[id] else { return }
    job.task.cancel()
    await job.task.value
    jobs[id] = nil
  }

  /// Ends all fetching; it can be gone on with.
  func stop() async {
    for id in jobs.keys { await cancel(id) }
  }

  // MARK: One disk

  /// Whether the disk came by this very offer; the VM may have written to it since.
  private static func isPublished(_ arrival: Arrival, at paths: VMPaths) -> Bool {
    access(paths.disk(arrival.spec.diskNumber), F_OK) == 0
      && FileManager.default.contents(atPath: paths.arrived) == mark(arrival)
  }

  private static func mark(_ arrival: Arrival) -> Data {
    Data("\(arrival.spec.diskNumber) \(arrival.offer.sha256)\n".utf8)
  }

  private nonisolated func fetch(_ arrival: Arrival, at paths: VMPaths) async throws {
    let (spec, offer) = (arrival.spec, arrival.offer)
    let part = "\(paths.folder)/arrival-\(offer.sha256).part"
    try Self.removeOthers(than: part, in: paths.folder)
    let base = try await images.path(of: spec.image, linkedAs: paths.base(spec.diskNumber))
    try await Self.download(offer, into: part)
    try await Failpoint.hit("agent.arrival.fetched")
    do {
      // Nothing that the header names may be opened before the name of the image here stands in it.
      _ = try OverlayHeader(file: part, limit: Int64(spec.disk) << 30)
      try await QemuImg.name(base, under: part)
      try await QemuImg.check(part)
      try PrivateFile.write(Self.mark(arrival), to: paths.arrived)
      try await Files().publish(part, as: paths.disk(spec.diskNumber))
    } catch {
      // It is no longer what was fetched, so that nothing can be added to it.
      unlink(part)
      throw error
    }
  }

  private static func removeOthers(than part: String, in folder: String) throws {
    for name in (try? FileManager.default.contentsOfDirectory(atPath: folder)) ?? []
    where name.hasPrefix("arrival-") && "\(folder)/\(name)" != part {
      unlink("\(folder)/\(name)")
    }
  }

  /// From the agent that shows the certificate of the offer, and from no other.
  private static func download(_ offer: DiskOffer, into part: String) async throws {
    guard let url = URLComponents(string: offer.url), url.scheme == "https", let host = url.host else {
      throw ServiceError.invalid("offer.url", "must be an https URL.")
    }
    let name = host.contains(":") && !host.hasPrefix("[") ? "[\(host)]" : host
    let address = try AgentAddress("\(name):\(url.port ?? AgentAddress.defaultPort)")
    let certificate = try await PinnedCertificate.fetch(from: address)
    guard certificate.fingerprint == offer.fingerprint.lowercased() else {
      throw ServiceError(.hostRefused, "The other host shows a certificate that is not its own.")
    }
    let pinned = try NIOSSLCertificate(bytes: Array(certificate.der), format: .der)
    let client = InternalHTTP.makeClient {
      var tls = TLSConfiguration.makeClientConfiguration()
      tls.trustRoots = .certificates([pinned])
      tls.certificateVerification = .noHostnameVerification
      $0.tlsConfiguration = tls
      $0.timeout.read = .seconds(30)
    }
    let result: Result<Void, any Error>
    do {
      let file = CachedImage(sha256: offer.sha256, size: offer.size, url: offer.url)
      try await ImageFetch(client: client, noun: "VM's disk", source: "its other host").fetch(file, into: part)
      result = .success(())
    } catch { result = .failure(error) }
    try? await client.shutdown()
    try result.get()
  }
}
