import Configuration
import Foundation
import Models

/// A setting that is missing or cannot be used; its description is the one line the start ends with.
public struct SettingsError: Error, CustomStringConvertible {
  public let description: String

  public init(_ description: String) { self.description = description }
}

/// Reads a service's configuration from the environment. A key such as `http.port` is the variable `IAAS_HTTP_PORT`.
public struct Settings: Sendable {
  private let reader: ConfigReader

  public init(reader: ConfigReader) { self.reader = reader.scoped(to: "iaas") }

  public static func fromEnvironment() -> Settings {
    Settings(reader: ConfigReader(provider: EnvironmentVariablesProvider()))
  }

  /// - Parameter environment: Variables by their names.
  public static func from(environment: [String: String]) -> Settings {
    Settings(reader: ConfigReader(provider: EnvironmentVariablesProvider(environmentVariables: environment)))
  }

  /// The value of a key; nil when it is absent or empty.
  public func optional(_ key: ConfigKey) -> String? {
    reader.string(forKey: key).flatMap { $0.isEmpty ? nil : $0 }
  }

  /// - Throws: `SettingsError` when the key is absent.
  public func required(_ key: ConfigKey) throws -> String {
    guard let value = optional(key) else { throw SettingsError("\(Self.variable(key)) must be set.") }
    return value
  }

  /// - Throws: `SettingsError` when the value is not a whole number in the range.
  public func integer(_ key: ConfigKey, default standard: Int, in range: ClosedRange<Int>) throws -> Int {
    guard let text = optional(key) else { return standard }
    guard let value = Int(text), range.contains(value) else {
      throw SettingsError(
        "\(Self.variable(key)) must be a whole number from \(range.lowerBound) to \(range.upperBound), not '\(text)'.")
    }
    return value
  }

  /// One of an enumeration's values.
  public func choice<Value: RawRepresentable & CaseIterable>(_ key: ConfigKey, default standard: Value) throws -> Value
  where Value.RawValue == String {
    guard let text = optional(key) else { return standard }
    guard let value = Value(rawValue: text) else {
      let all = Value.allCases.map(\.rawValue).joined(separator: ", ")
      throw SettingsError("\(Self.variable(key)) must be one of \(all), not '\(text)'.")
    }
    return value
  }

  /// The value of a comma-separated list.
  public func list(_ key: ConfigKey) -> [String] {
    (optional(key) ?? "").split(separator: ",").map { $0.trimmingCharacters(in: .whitespaces) }.filter { !$0.isEmpty }
  }

  /// What stands in the file that the key names, without the line end. For secrets.
  public func contents(_ key: ConfigKey) throws -> String {
    try Self.secret(atPath: try required(key), variable: Self.variable(key))
  }

  static func secret(atPath path: String, variable: String) throws -> String {
    guard let text = try? String(contentsOfFile: path, encoding: .utf8) else {
      throw SettingsError("\(variable) names \(path), which cannot be read.")
    }
    let secret = text.trimmingCharacters(in: .whitespacesAndNewlines)
    guard !secret.isEmpty else { throw SettingsError("\(variable) names \(path), which is empty.") }
    return secret
  }

  static func variable(_ key: ConfigKey) -> String {
    "IAAS_" + key.components.joined(separator: "_").uppercased()
  }
}

/// Where a service listens.
public struct ListenSettings: Sendable {
  public var host: String
  public var port: Int

  /// `http.host` (default 127.0.0.1) and `http.port`.
  public init(_ settings: Settings, defaultPort: Int) throws {
    host = settings.optional("http.host") ?? "127.0.0.1"
    port = try settings.integer("http.port", default: defaultPort, in: 0...65_535)
  }

  public init(host: String, port: Int) {
    self.host = host
    self.port = port
  }
}
