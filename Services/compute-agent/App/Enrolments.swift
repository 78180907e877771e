import Crypto
import Foundation
import Models
import ServiceKit

/// Which installation this agent belongs to, and the credential by which that installation is known.
actor Enrolments {
  private struct Record: Codable {
    let installation: UUIDText
    /// SHA-256 of the secret in hexadecimal; the secret itself is not kept here.
    let digest: String
  }

  private let path: String
  private let user: String
  private let password: String
  private var record: Record?
  private var failures: [ContinuousClock.Instant] = []

  /// Wrong passwords allowed in a minute, whoever sends them.
  private static let failureLimit = 10

  init(folder: String, user: String, password: String) throws {
    path = "\(folder)/enrolment.json"
    self.user = user
    self.password = password
    record = try Self.record(atPath: path)
  }

  /// The installation that the agent of a folder belongs to; nil where it waits for one.
  /// - Throws: `SettingsError` when the file cannot be read.
  static func installation(folder: String) throws -> UUIDText? {
    try record(atPath: "\(folder)/enrolment.json")?.installation
  }

  private static func record(atPath path: String) throws -> Record? {
    guard FileManager.default.fileExists(atPath: path) else { return nil }
    guard let data = FileManager.default.contents(atPath: path) else {
      throw SettingsError("\(path) cannot be read by this account.")
    }
    do { return try JSON.decoder.decode(Record.self, from: data) } catch {
      throw SettingsError("\(path) is damaged. Remove it and add the host again.")
    }
  }

  /// Binds the agent to an installation. The same installation may do so again, as when an answer was lost.
  /// - Throws: `invalid_credentials`; `too_many_requests`; `conflict` for a second installation.
  func enrol(_ request: Enrolment) throws {
    let now = ContinuousClock.now
    failures.removeAll { now - $0 > .seconds(60) }
    guard failures.count < Self.failureLimit else {
      throw ServiceError(.tooManyRequests, "Too many wrong passwords; try again in a minute.", retryAfter: 60)
    }
    guard Self.digest(request.user) == Self.digest(user), Self.digest(request.password) == Self.digest(password) else {
      failures.append(now)
      throw ServiceError(.invalidCredentials, "User or password of the enrolment account is wrong.")
    }
    if let record, record.installation != request.installation {
      throw ServiceError(
        .conflict, "This agent belongs to another installation; its operator must remove enrolment.json first.")
    }
    let record = Record(installation: request.installation, digest: Self.digest(request.secret))
    try PrivateFile.write(try JSON.encoder.encode(record), to: path)
    self.record = record
  }

  /// Whether the secret is the one agreed at enrolment.
  func accepts(_ secret: String) -> Bool { record.map { $0.digest == Self.digest(secret) } ?? false }

  private static func digest(_ text: String) -> String {
    SHA256.hash(data: Data(text.utf8)).map { String(format: "%02x", $0) }.joined()
  }
}
