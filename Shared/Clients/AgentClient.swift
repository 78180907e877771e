import AsyncHTTPClient
import Crypto
import Foundation
import Models
import NIOCore
import NIOPosix
import NIOSSL
import NIOTLS
import Synchronization

/// Where an agent listens.
public struct AgentAddress: Sendable, Equatable {
  public static let defaultPort = 7443

  public var host: String
  public var port: Int

  /// - Throws: `ServiceError` `invalid_field` unless the text is `name`, `name:port` or `[v6]:port`.
  public init(_ text: String) throws {
    guard let url = URLComponents(string: "https://\(text)"), let host = url.host, !host.isEmpty, url.path.isEmpty,
      url.user == nil, url.query == nil, url.fragment == nil, (1...65_535).contains(url.port ?? Self.defaultPort)
    else { throw ServiceError.invalid("addr", "must be a name or address, with a port if it is not 7443.") }
    self.host = host.trimmingCharacters(in: ["[", "]"])
    port = url.port ?? Self.defaultPort
  }

  var url: String { "https://\(host.contains(":") ? "[\(host)]" : host):\(port)" }
}

/// A certificate as it is pinned: its DER form.
public struct PinnedCertificate: Sendable, Hashable {
  public let der: Data

  public init(der: Data) { self.der = der }

  /// SHA-256 in hexadecimal.
  public var fingerprint: String { SHA256.hash(data: der).map { String(format: "%02x", $0) }.joined() }

  /// Connects and takes the certificate that the agent shows; nothing is sent.
  /// - Throws: `host_refused` when there is no TLS server at the address.
  public static func fetch(from address: AgentAddress) async throws -> PinnedCertificate {
    let taken = Mutex<Data?>(nil)
    do {
      var configuration = TLSConfiguration.makeClientConfiguration()
      configuration.certificateVerification = .noHostnameVerification
      let context = try NIOSSLContext(configuration: configuration)
      let handshake = MultiThreadedEventLoopGroup.singleton.any().makePromise(of: Void.self)
      let connecting = ClientBootstrap(group: handshake.futureResult.eventLoop)
        .connectTimeout(.seconds(3))
        .channelInitializer { channel in
          channel.eventLoop.makeCompletedFuture {
            let handler = try NIOSSLClientHandler(
              context: context, serverHostname: nil,
              customVerificationCallback: { certificates, promise in
                let der = certificates.first.flatMap { try? Data($0.toDERBytes()) }
                taken.withLock { $0 = der }
                promise.succeed(.certificateVerified)
              })
            try channel.pipeline.syncOperations.addHandler(handler)
            try channel.pipeline.syncOperations.addHandler(HandshakeWaiter(done: handshake))
          }
        }
        .connect(host: address.host, port: address.port)
      // A promise must be settled, also when there was never a connection to shake hands on.
      connecting.whenFailure { handshake.fail($0) }
      let channel = try await connecting.get()
      let timeout = channel.eventLoop.scheduleTask(in: .seconds(5)) {
        handshake.fail(ChannelError.connectTimeout(.seconds(5)))
      }
      defer {
        timeout.cancel()
        channel.close(promise: nil)
      }
      try await handshake.futureResult.get()
    } catch {
      throw ServiceError(
        .hostRefused, "No compute-agent answers at \(address.host):\(address.port).", detail: String(reflecting: error))
    }
    guard let der = taken.withLock({ $0 }) else {
      throw ServiceError(.hostRefused, "The agent at \(address.host):\(address.port) shows no certificate.")
    }
    return PinnedCertificate(der: der)
  }
}

/// Settles its promise when TLS is agreed or the connection ends.
private final class HandshakeWaiter: ChannelInboundHandler {
  typealias InboundIn = NIOAny
  private let done: EventLoopPromise<Void>

  init(done: EventLoopPromise<Void>) { self.done = done }

  func userInboundEventTriggered(context: ChannelHandlerContext, event: Any) {
    if let event = event as? TLSUserEvent, case .handshakeCompleted = event { done.succeed() }
    context.fireUserInboundEventTriggered(event)
  }

  func errorCaught(context: ChannelHandlerContext, error: any Error) { done.fail(error) }
  func channelInactive(context: ChannelHandlerContext) { done.fail(ChannelError.eof) }
}

/// One HTTP client per pinned certificate, kept, so that connections to an agent are reused.
public final class AgentClients: Sendable {
  private let clients = Mutex<[PinnedCertificate: HTTPClient]>([:])

  public init() {}

  /// The agent at the address; it is called only if it shows the pinned certificate.
  public func agent(at address: AgentAddress, certificate: PinnedCertificate, secret: String) throws -> AgentClient {
    let client = try clients.withLock { clients in
      if let client = clients[certificate] { return client }
      let pinned = try NIOSSLCertificate(bytes: Array(certificate.der), format: .der)
      let client = InternalHTTP.makeClient {
        var tls = TLSConfiguration.makeClientConfiguration()
        tls.trustRoots = .certificates([pinned])
        tls.certificateVerification = .noHostnameVerification
        $0.tlsConfiguration = tls
      }
      clients[certificate] = client
      return client
    }
    return AgentClient(
      peer: ServicePeer(client: client, url: address.url, secret: secret, noun: "The agent at \(address.host)"))
  }

  public func shutdown() async {
    for client in clients.withLock({ $0.values.map { $0 } }) { try? await client.shutdown() }
  }
}

/// Calls the compute-agent of one host.
public struct AgentClient: Sendable {
  private let peer: ServicePeer

  init(peer: ServicePeer) { self.peer = peer }

  /// Binds the agent to this installation; may be repeated with the same installation.
  public func enrol(_ enrolment: Enrolment, _ origin: CallOrigin) async throws -> HostFacts {
    try await peer.call(.POST, "/v1/enrolment", origin: origin, body: enrolment)
  }

  /// Everything the agent knows; only the host's part of the fence counts.
  public func report(_ origin: CallOrigin) async throws -> HostReport {
    try await peer.call(.GET, "/v1/report", origin: origin, seconds: 10)
  }

  /// Makes the VM what the spec says; the answer is what libvirt says then.
  public func put(_ spec: VMSpec, _ origin: CallOrigin) async throws -> VMReport {
    try await peer.call(.PUT, "/v1/vms/\(spec.id)", origin: origin, body: spec, seconds: 120)
  }

  /// Removes the VM and its disk; succeeds when it is gone already.
  public func delete(_ id: VMID, _ origin: CallOrigin) async throws {
    try await peer.call(.DELETE, "/v1/vms/\(id)", origin: origin, seconds: 60)
  }

  /// Says what a running guest may use at most.
  public func cap(_ id: VMID, _ caps: Caps, _ origin: CallOrigin) async throws -> VMReport {
    try await peer.call(.PUT, "/v1/vms/\(id)/caps", origin: origin, body: caps, seconds: 60)
  }

  /// Stops a VM that nobody knows and keeps it.
  /// - Parameter generation: As it was reported; a domain that has become another's since is left alone.
  public func quarantine(_ id: VMID, generation: Int64, _ origin: CallOrigin) async throws {
    try await peer.call(.POST, "/v1/vms/\(id)/quarantine?generation=\(generation)", origin: origin, seconds: 60)
  }

  /// The end of what the guest wrote to its serial console.
  public func console(_ id: VMID, bytes: Int, _ origin: CallOrigin) async throws -> Data {
    try await peer.data("/v1/vms/\(id)/console?bytes=\(bytes)", origin: origin)
  }

  /// What the guest writes to its serial console from now on.
  public func openConsole(_ id: VMID, _ origin: CallOrigin) async throws -> HTTPClientResponse {
    try await peer.open("/v1/vms/\(id)/console/live", origin: origin)
  }

  /// Types at the guest's serial console.
  public func type(_ input: ConsoleInput, to id: VMID, _ origin: CallOrigin) async throws {
    try await peer.call(.POST, "/v1/vms/\(id)/console", origin: origin, body: input)
  }

  /// Begins a copy of the VM's disk for an image, or tells how far it is.
  public func capture(_ id: VMID, for image: ImageID, _ origin: CallOrigin) async throws -> Capture {
    try await peer.call(.PUT, "/v1/vms/\(id)/captures/\(image)", origin: origin, seconds: 60)
  }

  /// The bytes of a copy that is made.
  public func openCapture(
    of id: VMID, for image: ImageID, from offset: Int64, _ origin: CallOrigin
  ) async throws -> HTTPClientResponse {
    try await peer.open("/v1/vms/\(id)/captures/\(image)", origin: origin, from: offset)
  }

  public func removeCapture(of id: VMID, for image: ImageID, _ origin: CallOrigin) async throws {
    try await peer.call(.DELETE, "/v1/vms/\(id)/captures/\(image)", origin: origin, seconds: 30)
  }

  /// Makes a stopped VM's disk ready to be fetched by another agent. Its URL is completed with this agent's address.
  public func offer(_ id: VMID, _ origin: CallOrigin) async throws -> DiskOffer {
    var offer: DiskOffer = try await peer.call(.POST, "/v1/vms/\(id)/offer", origin: origin, seconds: 600)
    offer.url = peer.url + offer.url
    return offer
  }

  /// Has the agent fetch a VM from another one.
  /// - Throws: `unavailable` as long as that goes on.
  public func receive(_ arrival: Arrival, _ origin: CallOrigin) async throws -> VMReport {
    try await peer.call(.PUT, "/v1/vms/\(arrival.spec.id)/arrival", origin: origin, body: arrival, seconds: 60)
  }
}
