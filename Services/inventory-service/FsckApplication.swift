import AsyncHTTPClient
import Clients
import Foundation
import Models
import Persistence
import ServiceKit

/// The composition root of `inventory-service fsck`.
public enum FsckApplication {
  /// What an administrator or a monitor asks for.
  public struct Request: Sendable {
    /// Seconds to wait for what is just being done.
    public var settleSeconds: Int
    public var repairs: Bool
    public var isJSON: Bool

    public init(settleSeconds: Int, repairs: Bool, isJSON: Bool) {
      self.settleSeconds = settleSeconds
      self.repairs = repairs
      self.isJSON = isJSON
    }
  }

  /// The exit status, for monitoring.
  public enum Status: Int32, Sendable {
    case clean = 0
    case violations = 1
    /// Nothing wrong was found, but not everything could be looked at.
    case incomplete = 3
  }

  /// Checks, and tells on standard output what is wrong.
  /// - Throws: `SettingsError` or `ServiceError` when the database cannot be read.
  public static func run(_ request: Request, _ settings: Settings) async throws -> Status {
    let pool = try Database.open(settings)
    let agents = AgentClients()
    let client = InternalHTTP.makeClient()
    let store = FsckStore(pool: pool)
    let fsck = Fsck(
      store: store,
      hosts: Hosts(
        store: HostStore(pool: pool), agents: agents,
        seal: SealBox(
          key: try KeyFile.load(path: try settings.required("seal.key")), purpose: "swift-iaas agent secret v1")),
      files: try ImageFiles(folder: settings.optional("images.dir") ?? "/export/iaas/images", reserve: 0),
      users: try users(settings, client))
    var result = try await fsck.settled(within: .seconds(request.settleSeconds))
    if request.repairs, !result.violations.isEmpty {
      try await store.repair()
      result = try await fsck.settled(within: .seconds(max(request.settleSeconds, 30)))
    }
    await agents.shutdown()
    try? await client.shutdown()
    print(try request.isJSON ? JSONText.encode(result) : text(result))
    if !result.violations.isEmpty { return .violations }
    return result.unchecked.isEmpty ? .clean : .incomplete
  }

  private static func users(
    _ settings: Settings, _ client: HTTPClient
  ) throws -> (@Sendable ([UserID]) async throws -> Set<UserID>)? {
    guard let url = settings.optional("auth.url"), settings.optional("caller.secret") != nil else { return nil }
    let auth = AuthClient(
      peer: ServicePeer(
        client: client, url: url, secret: try settings.contents("caller.secret"), noun: "auth-service"))
    return { ids in
      let origin = CallOrigin(
        requestID: UUIDText.make().description, caller: Caller(user: .make(), admin: true))
      return Set(try await auth.names(UserLookup(ids: ids), origin).map(\.id))
    }
  }

  private static func text(_ result: FsckResult) -> String {
    let violations = result.violations.map { "\($0.invariant.rawValue)\t\($0.subject)\t\($0.problem)" }
    let unchecked = result.unchecked.map { "-\t\($0)" }
    let sum =
      result.violations.isEmpty
      ? (result.unchecked.isEmpty ? "clean" : "nothing wrong in what could be looked at")
      : "\(result.violations.count) violations"
    return (violations + unchecked + [sum]).joined(separator: "\n")
  }
}
