import AsyncHTTPClient
import Clients
import Foundation
import Models
import TestSupport

@testable import InventoryService

/// An inventory-service as a process of its own, to be killed; several may share a database and an image store.
final class InventoryProcess {
  let client: InventoryClient
  private let environment: [String: String]
  private let log: String
  private var process: Process?

  static let leaseSeconds = 2
  /// As services have it: that a replica is away is told at once, and not tried again for as long as it may take.
  private static let http = InternalHTTP.makeClient()

  /// - Parameter folder: For the image store, the secrets and the logs; shared by replicas.
  init(_ name: String, conninfo: String, folder: String) async throws {
    let port = try await Shell.run(
      "python3", "-c", "import socket; s = socket.socket(); s.bind(('127.0.0.1', 0)); print(s.getsockname()[1], end='')"
    )
    let secret = "\(folder)/gateway"
    try "secret".write(toFile: secret, atomically: true, encoding: .utf8)
    environment = [
      "PATH": ProcessInfo.processInfo.environment["PATH"] ?? "/usr/bin:/bin", "IAAS_POSTGRES": conninfo,
      "IAAS_POSTGRES_CONNECTIONS": "4", "IAAS_CALLERS": "gateway=\(secret)", "IAAS_SEAL_KEY": "\(folder)/seal-key",
      "IAAS_IMAGES_DIR": "\(folder)/images", "IAAS_IMPORT_ALLOW": "127.0.0.1/32", "IAAS_IMAGES_RESERVE_MIB": "0",
      "IAAS_HTTP_PORT": port, "IAAS_LEASE_SECONDS": "\(Self.leaseSeconds)",
    ]
    log = "\(folder)/\(name).log"
    client = InventoryClient(
      peer: ServicePeer(client: Self.http, url: "http://127.0.0.1:\(port)", secret: "secret", noun: "The inventory"))
    try await start()
  }

  /// Starts it unless it runs, and waits until it serves.
  func start() async throws {
    guard process == nil else { return }
    let process = Process()
    process.executableURL = URL(fileURLWithPath: "\(try TestEnvironment.required("BIN"))/inventory-service")
    process.environment = environment
    if !FileManager.default.fileExists(atPath: log) { try Data().write(to: URL(fileURLWithPath: log)) }
    let output = try FileHandle(forWritingTo: URL(fileURLWithPath: log))
    try output.seekToEnd()
    process.standardOutput = output
    process.standardError = output
    try process.run()
    self.process = process
    let client = client
    try await eventually("the inventory serves") { await client.isReady(CallOrigin(requestID: "t")) }
  }

  /// Ends it as a power cut would.
  func kill() {
    guard let process else { return }
    Foundation.kill(process.processIdentifier, SIGKILL)
    process.waitUntilExit()
    self.process = nil
  }

  deinit { kill() }
}
