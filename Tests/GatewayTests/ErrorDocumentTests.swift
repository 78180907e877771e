import Foundation
import Models
import ServiceKit
import TestSupport
import Testing

/// docs/errors.md against the codes that the services know.
@Suite struct ErrorDocumentTests {
  /// A row of a table, ``| `not_found` | 404 | meaning | what to do |``, as "404 not_found".
  private static func documented() throws -> [String] {
    let file = TestEnvironment.root.appendingPathComponent("docs/errors.md")
    return try String(contentsOf: file, encoding: .utf8).matches(
      of: /(?m)^\| `([a-z_]+)` \| ([0-9]{3}) \| [^|]+ \| [^|]+ \|$/
    )
    .map { "\($0.2) \($0.1)" }
  }

  @Test func everyCodeStandsThereOnceWithItsStatusAndNoOther() throws {
    let known = ErrorCode.allCases.map { "\($0.status.code) \($0.rawValue)" }
    #expect(try Self.documented().sorted() == known.sorted())
  }
}
