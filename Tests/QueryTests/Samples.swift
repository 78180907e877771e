import Models
import Postgres
import Query
import Testing

/// A collection with a field of each kind.
let schema = QuerySchema([
  QueryField("name", .text, "v.name"), QueryField("email", .caseInsensitiveText, "u.email"),
  QueryField("id", .identifier, "v.id"), QueryField("mem", .number, "v.mem"),
  QueryField("admin", .boolean, "u.admin"), QueryField("createdAt", .time, "v.created_at"),
])

/// Two UUIDs as clients write them, and as they are bound.
let firstUUID = (written: "0190c0de-0000-7000-8000-00000000000a", bound: "0190C0DE-0000-7000-8000-00000000000A")
let secondUUID = (written: "0190C0DE-0000-7000-8000-00000000000B", bound: "0190C0DE-0000-7000-8000-00000000000B")

/// What is wrong with a query that must be refused, as the client reads it in `errors`.
func refusal(of query: String, sourceLocation: SourceLocation = #_sourceLocation) throws -> String {
  let error = try #require(throws: ServiceError.self, sourceLocation: sourceLocation) {
    try schema.condition(query)
  }
  #expect(error.code == .badQuery, sourceLocation: sourceLocation)
  #expect(error.fields.map(\.field) == ["query"], sourceLocation: sourceLocation)
  #expect(error.message == "query: " + error.fields[0].message, sourceLocation: sourceLocation)
  return error.fields[0].message
}
