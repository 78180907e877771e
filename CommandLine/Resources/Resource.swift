import Models

/// What people are shown: as a row, with all its fields, or by its name.
protocol Presentable: Sendable {
  /// What a list shows of it, and what is shown of one alone.
  static var columns: [Column<Self>] { get }
  static var fields: [Column<Self>] { get }
  /// What to call it in one word.
  var shortName: String { get }
}

extension Presentable {
  static var fields: [Column<Self>] { columns }
}

/// A kind of object of the API, with as much of it as people are shown. States and kinds are plain text here, so that a
/// server that knows a new one does not break an old command line.
protocol Resource: Presentable, Decodable {
  /// The kind as it stands in a sentence.
  static var noun: String { get }
  /// The collection's name in paths.
  static var collection: String { get }
  /// The field of the API that holds the handle; nil when there is none.
  static var handleField: String? { get }
  /// A query that makes sense for it, for the help.
  static var exampleQuery: String { get }
  /// Whether changes of it move so many bytes that people want to see how far they are.
  static var isBulky: Bool { get }
  /// Whether one is looked for among all of them, because there are few, or the server does not search them.
  static var isListedWhole: Bool { get }
  var id: UUIDText { get }
  /// What people call it; nil when it has an id only.
  var handle: String? { get }
  /// Why it is of no use, if so.
  var trouble: String? { get }
}

extension Resource {
  static var collectionPath: String { "/iaas/\(collection)" }
  static func path(_ id: UUIDText) -> String { "\(collectionPath)/\(id)" }
  static var isBulky: Bool { false }
  static var isListedWhole: Bool { false }
  var trouble: String? { nil }
  var shortName: String { handle ?? "\(id)" }
  /// The name with the id.
  var label: String { handle.map { "\($0) (\(id))" } ?? "\(id)" }
}
