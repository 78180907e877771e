import Models

/// Calls inventory-service.
public struct InventoryClient: Sendable {
  private let peer: ServicePeer

  public init(peer: ServicePeer) { self.peer = peer }

  public func hosts(_ origin: CallOrigin) async throws -> [Host] {
    try await peer.call(.GET, "/v1/hosts", origin: origin)
  }

  public func host(_ id: HostID, _ origin: CallOrigin) async throws -> Host {
    try await peer.call(.GET, "/v1/hosts/\(id)", origin: origin)
  }

  public func add(_ host: NewHost, _ origin: CallOrigin) async throws -> Host {
    try await peer.call(.POST, "/v1/hosts", origin: origin, body: host, seconds: 30)
  }

  public func removeHost(_ id: HostID, _ origin: CallOrigin) async throws {
    try await peer.call(.DELETE, "/v1/hosts/\(id)", origin: origin)
  }

  public func images(_ origin: CallOrigin) async throws -> [Image] {
    try await peer.call(.GET, "/v1/images", origin: origin)
  }

  public func image(_ id: ImageID, _ origin: CallOrigin) async throws -> Image {
    try await peer.call(.GET, "/v1/images/\(id)", origin: origin)
  }

  public func add(_ image: NewImage, _ origin: CallOrigin) async throws -> Accepted<Image> {
    try await peer.call(.POST, "/v1/images", origin: origin, body: image)
  }

  public func removeImage(_ id: ImageID, _ origin: CallOrigin) async throws {
    try await peer.call(.DELETE, "/v1/images/\(id)", origin: origin)
  }

  public func vms(_ origin: CallOrigin) async throws -> [VM] { try await peer.call(.GET, "/v1/vms", origin: origin) }

  public func vm(_ id: VMID, _ origin: CallOrigin) async throws -> VM {
    try await peer.call(.GET, "/v1/vms/\(id)", origin: origin)
  }

  public func add(_ vm: NewVM, _ origin: CallOrigin) async throws -> Accepted<VM> {
    try await peer.call(.POST, "/v1/vms", origin: origin, body: vm)
  }

  public func update(_ id: VMID, _ update: VMUpdate, _ origin: CallOrigin) async throws -> Accepted<VM> {
    try await peer.call(.PUT, "/v1/vms/\(id)", origin: origin, body: update)
  }

  public func removeVM(_ id: VMID, _ origin: CallOrigin) async throws -> Accepted<VM> {
    try await peer.call(.DELETE, "/v1/vms/\(id)", origin: origin)
  }

  public func operations(_ origin: CallOrigin) async throws -> [Operation] {
    try await peer.call(.GET, "/v1/operations", origin: origin)
  }

  /// The operation, at once or as soon as it has settled.
  /// - Parameter wait: Seconds to wait for it at most.
  public func operation(_ id: OperationID, wait: Int, _ origin: CallOrigin) async throws -> Operation {
    try await peer.call(.GET, "/v1/operations/\(id)?wait=\(wait)", origin: origin, seconds: Int64(wait) + 10)
  }

  public func holdings(of user: UserID, _ origin: CallOrigin) async throws -> Holdings {
    try await peer.call(.GET, "/v1/users/\(user)/holdings", origin: origin)
  }

  /// Whether it can serve: it answers, and has its database.
  public func isReady(_ origin: CallOrigin) async -> Bool {
    (try? await peer.call(.GET, "/ready", origin: origin, seconds: 4)) != nil
  }
}
