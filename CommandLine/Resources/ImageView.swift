import Models

/// A disk image.
struct ImageView: Resource {
  static let noun = "image"
  static let collection = "images"
  static let handleField: String? = "name"
  static let exampleQuery = "state = 'available'"
  static let isBulky = true
  static let columns: [Column<Self>] = [
    Column("id") { "\($0.id)" }, Column("name") { $0.name }, Column("state") { $0.stateText },
    Column("format") { $0.format }, Column("size") { $0.size.map(Units.bytes) },
    Column("virtual size") { $0.virtualSize.map(Units.bytes) }, Column("created") { $0.createdAt },
  ]
  static var fields: [Column<Self>] {
    columns + [
      Column("description") { $0.desc }, Column("url") { $0.url }, Column("sha256") { $0.sha256 },
      Column("arch") { $0.arch }, Column("saved from") { $0.vm }, Column("consistency") { $0.consistency },
      Column("owner") { $0.owner }, Column("error") { $0.error?.message },
    ]
  }

  var id: UUIDText
  var name: String
  var desc: String?
  var url: String?
  var state: String
  var error: Failure?
  var progress: OperationProgress?
  var format: String?
  var size: Int64?
  var virtualSize: Int64?
  var sha256: String?
  var arch: String?
  /// The VM that it was saved from, and in what condition the disk was then.
  var vm: String?
  var consistency: String?
  var owner: String?
  var createdAt: String?

  var handle: String? { name }

  /// The state, and how much of an import is done: as a part of the whole, or else in bytes.
  var stateText: String {
    guard state == "importing", let progress else { return state }
    return "\(state) \(progress.percent.map { "\($0)%" } ?? Units.bytes(progress.bytesDone))"
  }

  var trouble: String? { state == "error" ? error?.message ?? "The image \(label) is in error." : nil }
}
