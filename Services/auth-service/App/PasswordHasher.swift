import Blocking
import CArgon2
import Crypto
import CryptoExtras
import Foundation
import Models
import Synchronization

/// Argon2id by libargon2, with OWASP's parameters (Password Storage Cheat Sheet) as the least: 19 MiB, two passes, one
/// lane.
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
  /// Mixed into every password before it is hashed; it is not in the database.
  private let pepper: SymmetricKey?
  private let slots: [Slot]
  private let queueLimit: Int
  private let load = Mutex((waiting: 0, next: 0))

  /// Stands before the PHC string of a password that was hashed with the pepper.
  private static let pepperMark = "pepper1:"

  init(parameters: Argon2Parameters, pepper: SymmetricKey? = nil, slots: Int, queueLimit: Int) {
    self.parameters = parameters
    self.pepper = pepper
    self.slots = (0..<max(slots, 1)).map { _ in Slot() }
    self.queueLimit = queueLimit
  }

  /// - Returns: The PHC string of the password under a random salt of 16 bytes.
  /// - Throws: `ServiceError` `unavailable` when the queue is full.
  func hash(_ password: String) async throws -> String {
    let (parameters, pepper) = (parameters, pepper)
    return try await inSlot {
      (pepper == nil ? "" : Self.pepperMark) + (try Self.hash(Self.bytes(of: password, pepper), parameters))
    }
  }

  /// - Parameter hash: What `hash` gave, or an imported PBKDF2 string; nil for an unknown account, which costs the same
  ///   time and never fits.
  func verify(_ password: String, against hash: String?) async throws -> Bool {
    let (parameters, pepper) = (parameters, pepper)
    return try await inSlot {
      guard let hash else {
        _ = try Self.hash(Self.bytes(of: password, pepper), parameters)
        return false
      }
      if let imported = PBKDF2Hash(hash) { return try imported.fits(password) }
      let isPeppered = hash.hasPrefix(Self.pepperMark)
      // Without the pepper nobody can tell whether it fits.
      if isPeppered && pepper == nil { return false }
      let bytes = Self.bytes(of: password, isPeppered ? pepper : nil)
      let phc = isPeppered ? String(hash.dropFirst(Self.pepperMark.count)) : hash
      return argon2id_verify(phc, bytes, bytes.count) == ARGON2_OK.rawValue
    }
  }

  /// Whether the hash was made otherwise than one would be made now.
  func isOutdated(_ hash: String) -> Bool {
    !hash.hasPrefix((pepper == nil ? "" : Self.pepperMark) + parameters.prefix)
  }

  /// Whether a string from another system can be verified here, at a cost that a log-in may have.
  static func isKnown(_ hash: String) -> Bool {
    if PBKDF2Hash(hash) != nil { return true }
    let form = /\$argon2id\$v=19\$m=(\d{1,7}),t=(\d{1,2}),p=(\d{1,2})\$[A-Za-z0-9+\/]{11,86}\$[A-Za-z0-9+\/]{22,86}/
    guard let found = hash.wholeMatch(of: form), let memory = Int(found.1), let passes = Int(found.2),
      let lanes = Int(found.3)
    else { return false }
    return (8...mostImportedMemory).contains(memory) && (1...10).contains(passes) && (1...16).contains(lanes)
  }

  /// KiB.
  private static let mostImportedMemory = 262_144

  private static func bytes(of password: String, _ pepper: SymmetricKey?) -> [UInt8] {
    guard let pepper else { return Array(password.utf8) }
    return Array(HMAC<SHA256>.authenticationCode(for: Data(password.utf8), using: pepper))
  }

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

  private static func hash(_ bytes: [UInt8], _ parameters: Argon2Parameters) throws -> String {
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
