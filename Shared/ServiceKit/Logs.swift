import Foundation
import Logging

/// How log lines look: for people, or one JSON object a line.
public enum LogFormat: String, CaseIterable, Sendable { case text, json }

/// The one logger set-up.
public enum Logs {
  /// Sets the process's logging up from `log.level` (default info) and `log.format` (default text); once, before the
  /// first logger is made.
  public static func bootstrap(_ settings: Settings) throws {
    let level: Logger.Level = try settings.choice("log.level", default: .info)
    let format: LogFormat = try settings.choice("log.format", default: .text)
    LoggingSystem.bootstrap { label in
      var handler: any LogHandler =
        format == .json ? JSONLogHandler(label: label) : StreamLogHandler.standardError(label: label)
      handler.logLevel = level
      return handler
    }
  }
}

/// Writes a JSON object a line to standard error: time, level, label, message, and the metadata's members.
struct JSONLogHandler: LogHandler {
  let label: String
  var logLevel: Logger.Level = .info
  var metadata: Logger.Metadata = [:]

  init(label: String) { self.label = label }

  subscript(metadataKey key: String) -> Logger.Metadata.Value? {
    get { metadata[key] }
    set { metadata[key] = newValue }
  }

  func log(event: LogEvent) {
    var line = metadata.merging(event.metadata ?? [:]) { $1 }.mapValues(\.description)
    line["time"] = Date().formatted(Date.ISO8601FormatStyle(includingFractionalSeconds: true))
    line["level"] = event.level.rawValue
    line["label"] = label
    line["message"] = event.message.description
    let encoder = JSONEncoder()
    encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
    guard var data = try? encoder.encode(line) else { return }
    data.append(UInt8(ascii: "\n"))
    // One write a line: lines of several threads do not mix.
    data.withUnsafeBytes { _ = write(2, $0.baseAddress, $0.count) }
  }
}
