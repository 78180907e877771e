import Foundation

/// What `make test` prepared for the run: `Tests/run` says how.
public enum TestEnvironment {
  /// A variable of the run.
  /// - Throws: `NotPrepared` where the tests were started without it.
  public static func required(_ name: String) throws -> String {
    guard let value = optional(name) else { throw NotPrepared(name: name) }
    return value
  }

  /// A variable that only some runs have; nil when it is absent or empty.
  public static func optional(_ name: String) -> String? {
    ProcessInfo.processInfo.environment[name].flatMap { $0.isEmpty ? nil : $0 }
  }

  /// The repository's folder.
  public static let root = URL(fileURLWithPath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
    .deletingLastPathComponent()

  /// A folder for one test, removed after the body.
  public static func withFolder<Value>(_ body: (String) async throws -> Value) async throws -> Value {
    let folder = NSTemporaryDirectory() + "iaas-test-\(UUID().uuidString.prefix(8))"
    try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
    defer { try? FileManager.default.removeItem(atPath: folder) }
    return try await body(folder)
  }
}

/// The tests need what only `make test` brings up.
public struct NotPrepared: Error, CustomStringConvertible {
  public let name: String
  public var description: String { "\(name) is not set; run these tests by `make test`." }
}

/// Waits for a condition by looking again and again.
/// - Throws: `NeverHappened` after the time.
public func eventually(
  _ what: String, within time: Duration = .seconds(60), _ condition: () async throws -> Bool
) async throws {
  let end = ContinuousClock.now + time
  while ContinuousClock.now < end {
    if try await condition() { return }
    try await Task.sleep(for: .milliseconds(100))
  }
  throw NeverHappened(what: what)
}

public struct NeverHappened: Error, CustomStringConvertible {
  let what: String
  public var description: String { "never happened: \(what)" }
}
