import Foundation
import Models

/// How checks are told.
public enum ReportFormat: String, CaseIterable, Sendable { case table, json }

/// Checks as people read them, in the columns of `iaas doctor`, or as programs do.
struct HostFindings: Sendable {
  let checks: [HostCheck]

  func text(_ format: ReportFormat) throws -> String {
    switch format {
    case .json:
      let encoder = JSONEncoder()
      encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
      return String(decoding: try encoder.encode(checks), as: UTF8.self)
    case .table: return table
    }
  }

  private var table: String {
    let rows = [("CHECK", "RESULT", "FOUND")] + checks.map { ($0.name, $0.result.rawValue, $0.found) }
    let (first, second) = (rows.map(\.0.count).max() ?? 0, rows.map(\.1.count).max() ?? 0)
    return rows.map { row in
      row.0.padding(toLength: first + 2, withPad: " ", startingAt: 0)
        + row.1.padding(toLength: second + 2, withPad: " ", startingAt: 0) + Text.printable(row.2, limit: .max)
    }.joined(separator: "\n")
  }

  var failures: Int { checks.filter { $0.result == .bad }.count }

  /// Nil where all is well.
  var sentence: String? {
    switch failures {
    case 0: nil
    case 1: "One check failed."
    default: "\(failures) checks failed."
    }
  }
}
