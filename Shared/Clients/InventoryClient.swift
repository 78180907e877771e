import AsyncHTTPClient
import Models
import NIOCore

import struct Foundation.Data

/// Calls inventory-service.
public struct InventoryClient: Sendable {
  private let peer: ServicePeer

  public init(peer: ServicePeer) { self.peer = peer }

  /// A list as it comes.
  /// - Parameter path: The list's, with its parameters.
  public func list(_ path: String, _ origin: CallOrigin) async throws -> HTTPClientResponse {
    try await peer.open("/v1/\(path)", origin: origin)
  }

  public func host(_ id: HostID, _ origin: CallOrigin) async throws -> Host {
    try await peer.call(.GET, "/v1/hosts/\(id)", origin: origin)
  }

  public func add(_ host: NewHost, _ origin: CallOrigin) async throws -> Host {
    try await peer.call(.POST, "/v1/hosts", origin: origin, body: host, seconds: 30)
  }

  public func update(_ id: HostID, _ update: HostUpdate, _ origin: CallOrigin) async throws -> Host {
    try await peer.call(.PUT, "/v1/hosts/\(id)", origin: origin, body: update)
  }

  /// Has a host removed after every VM on it.
  public func cascade(_ id: HostID, _ origin: CallOrigin) async throws -> Operation {
    try await peer.call(.DELETE, "/v1/hosts/\(id)/cascade", origin: origin, seconds: 60)
  }

  public func removeHost(_ id: HostID, _ origin: CallOrigin) async throws {
    try await peer.call(.DELETE, "/v1/hosts/\(id)", origin: origin)
  }

  public func image(_ id: ImageID, _ origin: CallOrigin) async throws -> Image {
    try await peer.call(.GET, "/v1/images/\(id)", origin: origin)
  }

  public func add(_ image: NewImage, _ origin: CallOrigin) async throws -> Accepted<Image> {
    try await peer.call(.POST, "/v1/images", origin: origin, body: image)
  }

  public func update(_ id: ImageID, _ update: ImageUpdate, _ origin: CallOrigin) async throws -> Image {
    try await peer.call(.PUT, "/v1/images/\(id)", origin: origin, body: update)
  }

  /// Sends an image's content on as it comes.
  public func upload<Body: AsyncSequence & Sendable>(
    _ id: ImageID, _ body: Body, length: Int64?, _ origin: CallOrigin
  ) async throws -> Accepted<Image> where Body.Element == ByteBuffer {
    try await peer.upload("/v1/images/\(id)/content", body, length: length, origin: origin)
  }

  public func wellKnownImages(_ origin: CallOrigin) async throws -> [WellKnownImage] {
    try await peer.call(.GET, "/v1/catalogue", origin: origin)
  }

  public func removeImage(_ id: ImageID, _ origin: CallOrigin) async throws {
    try await peer.call(.DELETE, "/v1/images/\(id)", origin: origin)
  }

  public func vm(_ id: VMID, _ origin: CallOrigin) async throws -> VM {
    try await peer.call(.GET, "/v1/vms/\(id)", origin: origin)
  }

  /// The VM, as soon as its guest has come so far, or as it is when the time is over.
  public func vm(
    _ id: VMID, readyFor stage: ReadinessStage, wait: Int, _ origin: CallOrigin
  ) async throws -> VM {
    try await peer.call(
      .GET, "/v1/vms/\(id)?readiness=\(stage.rawValue)&wait=\(wait)", origin: origin, seconds: Int64(wait) + 10)
  }

  /// Saves a VM as an image.
  public func snapshot(_ id: VMID, _ snapshot: NewSnapshot, _ origin: CallOrigin) async throws -> Accepted<Image> {
    try await peer.call(.POST, "/v1/vms/\(id)/snapshots", origin: origin, body: snapshot)
  }

  /// The end of what a guest wrote to its serial console.
  public func console(_ id: VMID, bytes: Int, _ origin: CallOrigin) async throws -> Data {
    try await peer.data("/v1/vms/\(id)/console?bytes=\(bytes)", origin: origin)
  }

  /// What a guest writes to its serial console from now on.
  public func openConsole(_ id: VMID, _ origin: CallOrigin) async throws -> HTTPClientResponse {
    try await peer.open("/v1/vms/\(id)/console/live", origin: origin)
  }

  /// Types at a guest's serial console.
  public func type(_ input: ConsoleInput, to id: VMID, _ origin: CallOrigin) async throws {
    try await peer.call(.POST, "/v1/vms/\(id)/console", origin: origin, body: input)
  }

  /// What a guest did.
  /// - Parameter query: The parameters as they were given.
  public func metrics(_ id: VMID, query: String, _ origin: CallOrigin) async throws -> VMMetrics {
    try await peer.call(.GET, "/v1/vms/\(id)/metrics\(query.isEmpty ? "" : "?\(query)")", origin: origin)
  }

  public func key(_ id: SSHKeyID, _ origin: CallOrigin) async throws -> SSHKey {
    try await peer.call(.GET, "/v1/keys/\(id)", origin: origin)
  }

  public func add(_ key: NewSSHKey, _ origin: CallOrigin) async throws -> SSHKey {
    try await peer.call(.POST, "/v1/keys", origin: origin, body: key)
  }

  public func update(_ id: SSHKeyID, _ update: SSHKeyUpdate, _ origin: CallOrigin) async throws -> SSHKey {
    try await peer.call(.PUT, "/v1/keys/\(id)", origin: origin, body: update)
  }

  public func removeKey(_ id: SSHKeyID, _ origin: CallOrigin) async throws {
    try await peer.call(.DELETE, "/v1/keys/\(id)", origin: origin)
  }

  public func add(_ vm: NewVM, _ origin: CallOrigin) async throws -> Accepted<VM> {
    try await peer.call(.POST, "/v1/vms", origin: origin, body: vm)
  }

  /// What would come of such a VM; nothing is made.
  public func explain(_ vm: NewVM, _ origin: CallOrigin) async throws -> PlacementAnswer {
    try await peer.call(.POST, "/v1/placements", origin: origin, body: vm)
  }

  public func update(_ id: VMID, _ update: VMUpdate, _ origin: CallOrigin) async throws -> Accepted<VM> {
    try await peer.call(.PUT, "/v1/vms/\(id)", origin: origin, body: update)
  }

  public func removeVM(_ id: VMID, _ origin: CallOrigin) async throws -> Accepted<VM> {
    try await peer.call(.DELETE, "/v1/vms/\(id)", origin: origin)
  }

  /// The operation, at once or as soon as it has settled.
  /// - Parameter wait: Seconds to wait for it at most.
  public func operation(_ id: OperationID, wait: Int, _ origin: CallOrigin) async throws -> Operation {
    try await peer.call(.GET, "/v1/operations/\(id)?wait=\(wait)", origin: origin, seconds: Int64(wait) + 10)
  }

  /// Who may do what with an image or a VM.
  /// - Parameter resource: Its path, such as `images/<id>`.
  public func shares(of resource: String, _ origin: CallOrigin) async throws -> [Permission] {
    try await peer.call(.GET, "/v1/\(resource)/shares", origin: origin)
  }

  public func share(_ resource: String, _ grant: Grant, _ origin: CallOrigin) async throws -> Permission {
    try await peer.call(.POST, "/v1/\(resource)/shares", origin: origin, body: grant)
  }

  public func unshare(_ resource: String, _ user: UserID, _ origin: CallOrigin) async throws {
    try await peer.call(.DELETE, "/v1/\(resource)/shares/\(user)", origin: origin)
  }

  /// Takes all that a user may do, and removes what they alone own.
  public func forget(_ user: UserID, _ origin: CallOrigin) async throws {
    try await peer.call(.DELETE, "/v1/users/\(user)", origin: origin, seconds: 30)
  }

  /// What a person holds, and what they have consumed in a month; in the present one where nil.
  public func usage(of user: UserID, in month: Month? = nil, _ origin: CallOrigin) async throws -> Usage {
    try await peer.call(.GET, "/v1/users/\(user)/usage\(Self.query(month))", origin: origin)
  }

  /// The same of everyone who holds or has consumed something.
  public func usages(in month: Month?, _ origin: CallOrigin) async throws -> [Usage] {
    try await peer.call(.GET, "/v1/usage\(Self.query(month))", origin: origin, seconds: 30)
  }

  /// What somebody came near to, or everyone; the latest first.
  public func quotaEvents(of user: UserID?, _ origin: CallOrigin) async throws -> [QuotaEvent] {
    try await peer.call(.GET, user.map { "/v1/users/\($0)/events" } ?? "/v1/usage/events", origin: origin)
  }

  private static func query(_ month: Month?) -> String { month.map { "?month=\($0)" } ?? "" }

  /// Tells what a person may hold and consume from now on.
  public func limit(_ user: UserID, _ limits: Limits, _ origin: CallOrigin) async throws {
    try await peer.call(.PUT, "/v1/users/\(user)/limits", origin: origin, body: limits)
  }

  /// All that the inventory holds about a user, as a JSON object.
  public func export(_ id: UserID, _ origin: CallOrigin) async throws -> Data {
    try await peer.data("/v1/users/\(id)/export", origin: origin)
  }

  /// Whether it can serve: it answers, and has its database.
  public func isReady(_ origin: CallOrigin) async -> Bool {
    (try? await peer.call(.GET, "/ready", origin: origin, seconds: 4)) != nil
  }
}
