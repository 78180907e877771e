import Crypto
import Foundation
import Models
import Testing

@testable import AuthService

@Suite struct TokenTests {
  private let sealer = TokenSealer(key: SymmetricKey(size: .bits256))
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
    #expect(TokenSealer(key: SymmetricKey(size: .bits256)).open(token, now: now) == nil)
    #expect(sealer.open(String(repeating: "A", count: 1 << 20), now: now) == nil)
  }

  @Test func aTokenEndsWithItsSession() throws {
    let token = try sealer.seal(content)
    #expect(sealer.open(token, now: Date(timeIntervalSince1970: 1_700_003_600)) == nil)
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
