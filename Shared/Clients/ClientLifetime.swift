import ServiceLifecycle

/// Ends HTTP clients when everything that uses them has ended. Stands first in a service's list, so that it stops last.
public struct ClientLifetime: Service {
  private let end: @Sendable () async throws -> Void

  /// - Parameter end: Shuts the clients down.
  public init(_ end: @escaping @Sendable () async throws -> Void) { self.end = end }

  public func run() async throws {
    try? await gracefulShutdown()
    try await end()
  }
}
