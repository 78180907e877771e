/// What was looked at on a host, and what was found; what is wrong says what to do.
public struct HostCheck: Encodable, Equatable, Sendable {
  /// A warning is of what works, and worse than it could.
  public enum Result: String, Encodable, Sendable { case good, warning, bad, skipped }

  public let name: String
  public let result: Result
  public let found: String

  static func good(_ name: String, _ found: String) -> HostCheck { HostCheck(name: name, result: .good, found: found) }
  static func bad(_ name: String, _ found: String) -> HostCheck { HostCheck(name: name, result: .bad, found: found) }

  static func warning(_ name: String, _ found: String) -> HostCheck {
    HostCheck(name: name, result: .warning, found: found)
  }

  static func skipped(_ name: String, _ found: String) -> HostCheck {
    HostCheck(name: name, result: .skipped, found: found)
  }
}
