import Blocking
import CArgon2
import Foundation
import Models
import Synchronization

/// Argon2id by libargon2, with OWASP's parameters (Password Storage Cheat Sheet): 19 MiB, two passes, one lane.
struct Argon2Parameters: Sendable, Equatable {
  var memoryKiB: UInt32 = 19_456
  var passes: UInt32 = 2
  var lanes: UInt32 = 1

  /// The start of the PHC string that these parameters give.
  var prefix: String { "$argon2id$v=19$m=\(memoryKiB),t=\(passes),p=\(lanes)$" }
}

/// Hashes passwords in as many slots as there are cores, behind a bounded queue: a flood of log-ins is refused rather
/// than allowed to take the service down.
final class PasswordHasher: Sendable {
  private actor Slot {
    private nonisolated let executor = QueueExecutor(label: "argon2")
    nonisolated var unownedExecutor: UnownedSerialExecutor { executor.asUnownedSerialExecutor() }
    func run<Value: Sendable>(_ work: @Sendable () throws -> Value) rethrows -> Value { try work() }
  }

  let parameters: Argon2Parameters
  private let slots: [Slot]
  private let queueLimit: Int
  private let load = Mutex((waiting: 0, next: 0))

  init(parameters: Argon2Parameters, slots: Int, queueLimit: Int) {
    self.parameters = parameters
    self.slots = (0..<max(slots, 1)).map { _ in Slot() }
    self.queueLimit = queueLimit
  }

  /// - Returns: The PHC string of the password under a random salt of 16 bytes.
  /// - Throws: `ServiceError` `unavailable` when the queue is full.
  func hash(_ password: String) async throws -> String {
    let parameters = parameters
    return try await inSlot { try Self.hash(password, parameters) }
  }

  /// - Parameter hash: A PHC string; nil for an unknown account, which costs the same time and never fits.
  func verify(_ password: String, against hash: String?) async throws -> Bool {
    let parameters = parameters
    return try await inSlot {
      guard let hash else {
        _ = try Self.hash(password, parameters)
        return false
      }
      let bytes = Array(password.utf8)
      return argon2id_verify(hash, bytes, bytes.count) == ARGON2_OK.rawValue
    }
  }

  /// Whether the hash was made with other parameters than those in force.
  func isOutdated(_ hash: String) -> Bool { !hash.hasPrefix(parameters.prefix) }

  private func inSlot<Value: Sendable>(_ work: @escaping @Sendable () throws -> Value) async throws -> Value {
    let slot: Slot? = load.withLock { load in
      guard load.waiting < queueLimit else { return nil }
      load.waiting += 1
      load.next = (load.next + 1) % slots.count
      return slots[load.next]
    }
    guard let slot else { throw ServiceError(.unavailable, "Too many log-ins at once; try again.", retryAfter: 2) }
    defer { load.withLock { $0.waiting -= 1 } }
    return try await slot.run(work)
  }

  private static func hash(_ password: String, _ parameters: Argon2Parameters) throws -> String {
    let bytes = Array(password.utf8)
    let salt = (0..<16).map { _ in UInt8.random(in: .min ... .max) }
    var encoded = [CChar](repeating: 0, count: 256)
    let status = argon2id_hash_encoded(
      parameters.passes, parameters.memoryKiB, parameters.lanes, bytes, bytes.count, salt, salt.count, 32, &encoded,
      encoded.count)
    guard status == ARGON2_OK.rawValue else {
      throw ServiceError(.unavailable, "The password cannot be checked now; try again.", detail: "argon2: \(status)")
    }
    return String(decoding: encoded.prefix { $0 != 0 }.map(UInt8.init(bitPattern:)), as: UTF8.self)
  }
}
