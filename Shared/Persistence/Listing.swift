import Foundation
import Models
import Postgres
import Query

/// By what a list can be sorted: an expression that is never NULL and that an index has, together with the id.
public struct SortKey: Sendable {
  let name: String
  let expression: SQL
  let type: SQL

  /// - Parameter type: The expression's type in PostgreSQL.
  public init(_ name: String, _ expression: SQL, as type: SQL) {
    self.name = name
    self.expression = expression
    self.type = type
  }
}

/// A list as SQL. What the caller may see is part of every statement.
public struct Listing<Item: Encodable & Sendable>: Sendable {
  let pool: PostgresPool
  let columns: SQL
  let source: SQL
  let id: SQL
  let visible: SQL
  let fields: QuerySchema
  let sortKeys: [SortKey]
  let count: SQL?
  let decode: @Sendable (PostgresRow) throws -> Item

  /// - Parameters:
  ///   - source: What stands after FROM.
  ///   - id: The column of the id.
  ///   - visible: What the caller may see.
  ///   - fields: What the caller may ask about.
  ///   - sortKeys: The first is the order of a list that is not sorted.
  ///   - count: A statement that gives the number of all visible items as `total`, where there is a cheaper one than
  ///     counting them.
  public init(
    pool: PostgresPool, columns: SQL, source: SQL, id: SQL, visible: SQL, fields: QuerySchema, sortKeys: [SortKey],
    count: SQL? = nil, decode: @escaping @Sendable (PostgresRow) throws -> Item
  ) {
    self.pool = pool
    self.columns = columns
    self.source = source
    self.id = id
    self.visible = visible
    self.fields = fields
    self.sortKeys = sortKeys
    self.count = count
    self.decode = decode
  }
}

/// A part of a list.
public struct ListPage<Item: Sendable>: Sendable {
  public var items: [Item]
  /// How many items the whole list has.
  public var total: Int
  /// Where the next page begins; nil for the last one.
  var next: Cursor?
}

extension Listing {
  /// Items that are read at once when there is no limit.
  static var batch: Int { 500 }

  /// - Throws: `bad_query`, or `invalid_field` for a sort key or cursor that this list does not have.
  public func page(_ request: ListRequest) async throws -> ListPage<Item> {
    do { return try await read(request) } catch let error as PostgresError
      where request.after != nil && error.sqlState?.hasPrefix("22") == true
    {
      // Class 22, "data exception": the cursor's value is none of the sort key's type.
      throw Cursor.foreign
    }
  }

  private func read(_ request: ListRequest) async throws -> ListPage<Item> {
    let order = try order(request.sort)
    let condition = try fields.condition(request.query)
    if let after = request.after, after.sort != order.name {
      throw ServiceError.invalid("after", "belongs to another order; begin again without it.")
    }
    let limit = request.limit ?? Self.batch
    let statement = statement(condition, order, after: request.after, limit: limit + 1)
    let count = request.after == nil ? countStatement(request.query, condition) : nil
    return try await pool.withConnection { connection in
      let rows = try connection.execute(statement).map { row in
        (
          item: try decode(row), sortKey: try row("sort_key", as: String.self),
          id: UUIDText(try row("sort_id", as: UUID.self))
        )
      }
      let total =
        try request.after?.total ?? count.flatMap { try connection.execute($0).first { try $0("total", as: Int.self) } }
        ?? 0
      let last = rows.count > limit ? rows[limit - 1] : nil
      return ListPage(
        items: rows.prefix(limit).map(\.item), total: total,
        next: last.map { Cursor(sort: order.name, value: $0.sortKey, id: $0.id, total: total) })
    }
  }

  private struct Order {
    let name: String
    let key: SortKey
    let descending: Bool
  }

  private func order(_ sort: String?) throws -> Order {
    guard let sort else { return Order(name: sortKeys[0].name, key: sortKeys[0], descending: false) }
    let name = sort.hasPrefix("-") ? String(sort.dropFirst()) : sort
    guard let key = sortKeys.first(where: { $0.name == name }) else {
      let names = sortKeys.map(\.name).joined(separator: ", ")
      throw ServiceError.invalid("sort", "must be one of \(names), with a hyphen before it for descending.")
    }
    return Order(name: sort, key: key, descending: sort.hasPrefix("-"))
  }

  private func statement(_ condition: SQL, _ order: Order, after: Cursor?, limit: Int) -> SQL {
    let key = order.key.expression
    let direction: SQL = order.descending ? "DESC" : "ASC"
    let comparison: SQL = order.descending ? "<" : ">"
    let start: SQL =
      after.map { "(\(key), \(id)) \(comparison) (\($0.value)::\(order.key.type), \($0.id.uuid)::uuid)" } ?? "true"
    return """
      SELECT \(columns), (\(key))::text AS sort_key, \(id) AS sort_id FROM \(source)
      WHERE \(visible) AND \(condition) AND \(start)
      ORDER BY \(key) \(direction), \(id) \(direction) LIMIT \(limit)::bigint
      """
  }

  private func countStatement(_ query: String, _ condition: SQL) -> SQL {
    if let count, query.allSatisfy(\.isWhitespace) { return count }
    return "SELECT count(*) AS total FROM \(source) WHERE \(visible) AND \(condition)"
  }
}

extension Listing {
  /// Every item, in memory: for what one person has.
  public func all() async throws -> [Item] {
    var request = ListRequest()
    var items: [Item] = []
    while true {
      let page = try await page(request)
      items += page.items
      guard let next = page.next else { return items }
      request.after = next
    }
  }
}
