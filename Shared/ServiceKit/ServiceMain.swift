import Foundation
import Logging
import Metrics
import ServiceLifecycle

/// How every service runs: logging and metrics first, then all that lives long in one group, ended in reverse order.
public enum ServiceMain {
  /// Runs until SIGTERM or SIGINT, or until a service of the group ends.
  /// - Parameter build: Makes the long-lived services from the settings, those needed by others first.
  public static func run(
    _ name: String, _ build: (Settings, Logger) async throws -> [any Service]
  ) async {
    // A peer that went away is an error of that connection, not a signal to the process.
    signal(SIGPIPE, SIG_IGN)
    do {
      let settings = Settings.fromEnvironment()
      try Logs.bootstrap(settings)
      MetricsSystem.bootstrap(PrometheusRegistry.shared)
      let logger = Logger(label: name)
      let services = try await build(settings, logger)
      let group = ServiceGroup(
        configuration: .init(
          services: services.map { .init(service: $0, successTerminationBehavior: .gracefullyShutdownGroup) },
          gracefulShutdownSignals: [.sigterm, .sigint], logger: logger))
      try await group.run()
    } catch let error as SettingsError {
      fail("\(name): \(error.description)")
    } catch {
      fail("\(name): \(String(reflecting: error))")
    }
  }

  private static func fail(_ message: String) -> Never {
    FileHandle.standardError.write(Data((message + "\n").utf8))
    exit(1)
  }
}
