import Clients
import Models

/// What everyone holds and consumes, for spreadsheets.
struct UsageTable: Sendable {
  let auth: AuthClient
  let inventory: InventoryClient

  /// As CSV (RFC 4180), with a line of headings.
  /// - Throws: `forbidden`.
  func csv(_ month: Month?, _ origin: CallOrigin) async throws -> String {
    let usages = try await inventory.usages(in: month, origin)
    let names = try await auth.names(UserLookup(ids: usages.map(\.user)), origin)
    let emails = Dictionary(names.map { ($0.id, $0.email) }, uniquingKeysWith: { first, _ in first })
    let resources = QuotaResource.held + QuotaResource.consumed
    let heading = ["month", "user", "email"] + resources.map(\.rawValue)
    let lines = usages.map { usage in
      let numbers = usage.held.merging(usage.consumed) { held, _ in held }
      return [usage.month.description, usage.user.description, emails[usage.user] ?? ""]
        + resources.map { "\(numbers[$0, default: 0])" }
    }
    return ([heading] + lines).map { $0.map(Self.field).joined(separator: ",") + "\r\n" }.joined()
  }

  /// Quoted where needed; what a spreadsheet would take for a formula is not one.
  static func field(_ text: String) -> String {
    let isFormula = text.first.map { "=+-@\t\r".contains($0) } ?? false
    let text = isFormula ? "'\(text)" : text
    guard text.contains(where: { $0 == "," || $0 == "\"" || $0.isNewline }) else { return text }
    return "\"\(text.replacing("\"", with: "\"\""))\""
  }
}
