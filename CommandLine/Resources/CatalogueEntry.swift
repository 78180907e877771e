/// A public image that the server can fetch by name.
struct CatalogueEntry: Presentable, Decodable {
  static let columns: [Column<Self>] = [
    Column("name") { $0.name }, Column("description") { $0.desc }, Column("url") { $0.url },
  ]

  var name: String
  var desc: String?
  var url: String?

  var shortName: String { name }
}
