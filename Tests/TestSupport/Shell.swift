import Foundation
import ServiceKit

/// Programs that tests call; a failure shows what the program said.
public enum Shell {
  public struct Failed: Error, CustomStringConvertible {
    public let description: String
  }

  /// - Returns: The standard output.
  @discardableResult
  public static func run(_ name: String, _ arguments: String...) async throws -> String {
    try await run(name, arguments: arguments)
  }

  /// - Returns: The standard output.
  @discardableResult
  public static func run(_ name: String, arguments: [String]) async throws -> String {
    let outcome = try await Tool.run(name, arguments)
    guard outcome.succeeded else {
      throw Failed(description: "\(name) \(arguments.joined(separator: " ")): \(outcome.errors) \(outcome.output)")
    }
    return outcome.output
  }
}
