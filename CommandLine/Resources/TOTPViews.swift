import Models

/// The secret of a second factor, for those who enrol without a terminal to draw on.
extension TOTPEnrolment: Presentable {
  static var columns: [Column<Self>] {
    [Column("secret") { $0.groupedSecret }, Column("url") { $0.url }]
  }

  var shortName: String { url }

  /// The secret in groups of four, which are easier to type.
  var groupedSecret: String {
    let characters = Array(secret)
    return stride(from: 0, to: characters.count, by: 4)
      .map { String(characters[$0..<min($0 + 4, characters.count)]) }.joined(separator: " ")
  }
}

/// A code that stands in for the second factor, once.
struct RecoveryCode: Presentable {
  static let columns: [Column<Self>] = [Column("recovery code") { $0.shortName }]

  let shortName: String

  init(_ code: String) { shortName = code }
}
