import AsyncHTTPClient
import Foundation
import Synchronization
import TestSupport

/// One process of a service, which comes back as it was.
final class Replica: Victim {
  let name: String
  let failpoints: String
  let port: Int
  let environment: [String: String]
  private let executable: String
  private let log: String
  private let health: String
  private let child = Mutex<Child?>(nil)
  /// What is added to the environment for a while.
  private let added = Mutex<[String: String]>([:])

  init(
    _ name: String, of service: String, in folder: String, port: Int, health: String = "/health",
    _ environment: [String: String]
  ) throws {
    self.name = name
    self.port = port
    failpoints = "\(folder)/failpoints/\(name)"
    executable = "\(folder)/bin/\(service)"
    log = "\(folder)/logs/\(name).log"
    self.health = "http://127.0.0.1:\(port)\(health)"
    self.environment = environment.merging([
      "PATH": "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin", "HOME": "/root", "LANG": "C.UTF-8",
      "IAAS_HTTP_PORT": "\(port)", "IAAS_LOG_LEVEL": "info", "IAAS_LOG_FORMAT": "json", "IAAS_FAILPOINTS": failpoints,
    ]) { own, _ in own }
    try FileManager.default.createDirectory(atPath: failpoints, withIntermediateDirectories: true)
  }

  var pid: pid_t? {
    child.withLock { child in
      if let running = child, !running.isRunning { child = nil }
      return child?.pid
    }
  }

  /// Starts it if it does not run.
  func start() throws {
    guard pid == nil else { return }
    let environment = environment.merging(added.withLock { $0 }) { _, new in new }
    let started = try Child(executable, environment: environment, log: log)
    child.withLock { $0 = started }
  }

  func bringBack() async throws {
    try start()
    var request = HTTPClientRequest(url: health)
    request.headers.add(name: "Connection", value: "close")
    let asked = request
    try await eventually("\(name) answers", within: .seconds(40)) {
      if !self.isRunning { try self.start() }
      return (try? await Web.client.execute(asked, timeout: .seconds(2)).status.code) == 200
    }
  }

  /// Starts it anew with more in its environment, or without that again.
  func restart(with variables: [String: String] = [:]) async throws {
    added.withLock { $0 = variables }
    try await strike()
    try await bringBack()
  }
}

/// Ports below those that the kernel gives to outgoing connections.
enum Ports {
  private static let taken = Mutex<Set<Int>>([])

  static func free() -> Int {
    while true {
      let port = Int.random(in: 20_000..<32_000)
      if taken.withLock({ $0.insert(port).inserted }), isFree(port) { return port }
    }
  }

  private static func isFree(_ port: Int) -> Bool {
    let descriptor = socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
    defer { close(descriptor) }
    var address = sockaddr_in()
    address.sin_family = sa_family_t(AF_INET)
    address.sin_port = in_port_t(port).bigEndian
    return withUnsafePointer(to: &address) { pointer in
      // Safe: an internet address is laid out as every address begins, and bind only reads it.
      pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
        bind(descriptor, $0, socklen_t(MemoryLayout<sockaddr_in>.size)) == 0
      }
    }
  }
}
