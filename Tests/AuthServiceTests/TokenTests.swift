import Crypto
import Foundation
import Models
import ServiceKit
import TestSupport
import Testing

@testable import AuthService

@Suite struct TokenTests {
  private let sealer = TokenSealer(keys: TokenKeys(keys: [SymmetricKey(size: .bits256)]))
  private let content = TokenContent(
    user: .make(), session: .make(), authenticatedAt: 1_700_000_000, expiresAt: 1_700_003_600)
  private let now = Date(timeIntervalSince1970: 1_700_000_001)

  @Test func aTokenOpensToWhatWasSealed() throws {
    #expect(sealer.open(try sealer.seal(content), now: now) == content)
  }

  @Test func everyFlippedBitIsRefused() throws {
    let token = Array(try sealer.seal(content).utf8)
    for index in token.indices {
      for bit in 0..<7 {
        var changed = token
        changed[index] ^= 1 << UInt8(bit)
        #expect(sealer.open(String(decoding: changed, as: UTF8.self), now: now) == nil)
      }
    }
  }

  @Test func shortenedLengthenedAndForeignTokensAreRefused() throws {
    let token = try sealer.seal(content)
    for count in 0..<token.count { #expect(sealer.open(String(token.prefix(count)), now: now) == nil) }
    for suffix in ["A", "=", ".", " ", "\n", "\0"] { #expect(sealer.open(token + suffix, now: now) == nil) }
    #expect(TokenSealer(keys: TokenKeys(keys: [SymmetricKey(size: .bits256)])).open(token, now: now) == nil)
    #expect(sealer.open(String(repeating: "A", count: 1 << 20), now: now) == nil)
  }

  @Test func aTokenEndsWithItsSession() throws {
    let token = try sealer.seal(content)
    #expect(sealer.open(token, now: Date(timeIntervalSince1970: 1_700_003_600)) == nil)
  }
}

@Suite struct TokenKeysTests {
  private let content = TokenContent(user: .make(), session: .make(), authenticatedAt: 0, expiresAt: 4_000_000_000)

  @Test func twoKeysAreGoodAtATimeAlsoForThoseWhoHadTheFileOpen() async throws {
    try await TestEnvironment.withFolder { folder in
      let path = "\(folder)/keys"
      let (one, other) = (TokenSealer(keys: try TokenKeys(path: path)), TokenSealer(keys: try TokenKeys(path: path)))
      let first = try one.seal(content)
      let id = try TokenKeys.rotate(path: path)
      let second = try other.seal(content)
      #expect(second.hasPrefix("v1.\(id)."))
      for sealer in [one, other] {
        #expect(sealer.open(first, now: Date()) == content && sealer.open(second, now: Date()) == content)
      }
      _ = try TokenKeys.rotate(path: path)
      for sealer in [one, other] {
        #expect(sealer.open(first, now: Date()) == nil && sealer.open(second, now: Date()) == content)
      }
    }
  }

  @Test func aFileThatOthersReadOrThatIsDamagedIsRefused() async throws {
    try await TestEnvironment.withFolder { folder in
      let path = "\(folder)/keys"
      _ = try TokenKeys(path: path)
      chmod(path, 0o640)
      #expect(throws: SettingsError.self) { try TokenKeys(path: path) }
      #expect(throws: SettingsError.self) { try TokenKeys.rotate(path: path) }
      chmod(path, 0o600)
      let keys = try TokenKeys(path: path)
      try Data("nonsense\n".utf8).write(to: URL(fileURLWithPath: path))
      #expect(throws: SettingsError.self) { try TokenKeys(path: path) }
      // Whoever runs goes on with what there was.
      #expect(keys.current.count == 1)
    }
  }
}

@Suite struct PasswordHasherTests {
  private let cheap = Argon2Parameters(memoryKiB: 64, passes: 1, lanes: 1)

  @Test func theParametersAreOWASPs() async throws {
    let hash = try await PasswordHasher(parameters: Argon2Parameters(), slots: 1, queueLimit: 4).hash("secret")
    #expect(hash.hasPrefix("$argon2id$v=19$m=19456,t=2,p=1$"))
  }

  @Test func onlyThePasswordFits() async throws {
    let hasher = PasswordHasher(parameters: cheap, slots: 2, queueLimit: 8)
    let (hash, again) = (try await hasher.hash("pass wörd"), try await hasher.hash("pass wörd"))
    #expect(hash != again)
    #expect(try await hasher.verify("pass wörd", against: hash))
    for wrong in ["", "pass word", "pass wörd ", "Pass wörd"] {
      #expect(try await !hasher.verify(wrong, against: hash))
    }
    #expect(try await !hasher.verify("anything", against: nil))
    #expect(try await !hasher.verify("x", against: "not a hash"))
  }

  @Test func risenParametersAreNoticed() async throws {
    let hash = try await PasswordHasher(parameters: cheap, slots: 1, queueLimit: 1).hash("x")
    #expect(PasswordHasher(parameters: Argon2Parameters(), slots: 1, queueLimit: 1).isOutdated(hash))
    #expect(!PasswordHasher(parameters: cheap, slots: 1, queueLimit: 1).isOutdated(hash))
  }

  @Test func importedPBKDF2StringsFitAndAreOutdated() async throws {
    let hasher = PasswordHasher(parameters: cheap, slots: 1, queueLimit: 4)
    // Made by Python's hashlib.pbkdf2_hmac with 1,000 rounds.
    let passlib = "$pbkdf2-sha256$1000$c2FsdHNhbHQ$j2ZnRfVjHoymuBAWTFNTTJzUE9nvRnBv5XaQvGt72c0"
    let phc = "$pbkdf2-sha256$i=1000,l=32$c2FsdHNhbHQ$j2ZnRfVjHoymuBAWTFNTTJzUE9nvRnBv5XaQvGt72c0"
    for hash in [passlib, phc] {
      #expect(PasswordHasher.isKnown(hash) && hasher.isOutdated(hash))
      #expect(try await hasher.verify("imported password", against: hash))
      #expect(try await !hasher.verify("imported passwore", against: hash))
    }
    for bad in [
      "", "x", "$pbkdf2-sha256$0$c2FsdHNhbHQ$AAAA", "$pbkdf2-sha256$99999999$c2FsdHNhbHQ$AAAA", "$argon2id$v=19$",
    ] {
      #expect(!PasswordHasher.isKnown(bad), "\(bad)")
    }
    #expect(PasswordHasher.isKnown(try await hasher.hash("x")))
  }

  @Test func thePepperIsNeededAndComesWithTheNextHash() async throws {
    let plain = PasswordHasher(parameters: cheap, slots: 1, queueLimit: 4)
    let peppered = PasswordHasher(
      parameters: cheap, pepper: SymmetricKey(size: .bits256), slots: 1, queueLimit: 4)
    let (old, new) = (try await plain.hash("x"), try await peppered.hash("x"))
    #expect(try await peppered.verify("x", against: old) && peppered.isOutdated(old))
    #expect(try await peppered.verify("x", against: new) && !peppered.isOutdated(new))
    #expect(try await !plain.verify("x", against: new))
    let other = PasswordHasher(parameters: cheap, pepper: SymmetricKey(size: .bits256), slots: 1, queueLimit: 4)
    #expect(try await !other.verify("x", against: new))
  }

  @Test func aFloodIsRefusedNotQueuedForEver() async {
    let hasher = PasswordHasher(parameters: Argon2Parameters(), slots: 1, queueLimit: 4)
    let refused = await withTaskGroup(of: Bool.self) { group in
      for _ in 0..<100 {
        group.addTask {
          do { _ = try await hasher.hash("x") } catch let error as ServiceError {
            return error.code == .unavailable
          } catch {}
          return false
        }
      }
      return await group.reduce(0) { $0 + ($1 ? 1 : 0) }
    }
    #expect(refused > 0 && refused <= 96)
  }
}
