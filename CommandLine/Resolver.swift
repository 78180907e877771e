import Models

/// Finds what people mean by an id, the beginning of one, or a name.
struct Resolver: Sendable {
  /// Fewer characters of an id are not taken for one.
  private static let shortestPrefix = 4

  let client: APIClient

  /// The id itself needs no question to the server.
  /// - Throws: `CommandFailure` `not found`, or `usage` when several are meant.
  func id<Kind: Resource>(_ reference: String, of kind: Kind.Type) async throws -> UUIDText {
    if let id = UUIDText(reference) { return id }
    return try await find(reference, kind).id
  }

  /// The object, for those who want to name it.
  /// - Throws: as `id`.
  func object<Kind: Resource>(_ reference: String, of kind: Kind.Type) async throws -> Kind {
    guard let id = UUIDText(reference) else { return try await find(reference, kind) }
    return try await client.get(Kind.self, Kind.path(id)).value
  }

  /// The ids of several objects of a kind that is listed as a whole, with one question at most.
  /// - Throws: as `id`.
  func ids<Kind: Resource>(_ references: [String], of kind: Kind.Type) async throws -> [UUIDText] {
    let known = references.compactMap { UUIDText($0) }
    guard known.count < references.count else { return known }
    let all = try await client.get([Kind].self, Kind.collectionPath).value
    return try references.map { reference in try UUIDText(reference) ?? Self.choose(reference, from: all).id }
  }

  private func find<Kind: Resource>(_ reference: String, _ kind: Kind.Type) async throws -> Kind {
    let candidates = try await candidates(reference, kind)
    do { return try Self.choose(reference, from: candidates) } catch let failure as CommandFailure
      where failure.status == .notFound && !reference.isEmpty
    {
      let all = Kind.isListedWhole ? candidates : await named(kind)
      guard let nearest = Spelling.nearest(to: reference, in: all.compactMap(\.handle)) else { throw failure }
      throw CommandFailure(.notFound, "There is no \(Kind.noun) \"\(reference)\"; did you mean \"\(nearest)\"?")
    }
  }

  /// Those that come first of what has names; none where they cannot be had.
  private func named<Kind: Resource>(_: Kind.Type) async -> [Kind] {
    guard Kind.handleField != nil else { return [] }
    return (try? await client.get([Kind].self, Kind.collectionPath, query: [("limit", "500")]).value) ?? []
  }

  /// Among whom to choose, as the server sees it; it is not asked for what nobody can be called.
  private func candidates<Kind: Resource>(_ reference: String, _: Kind.Type) async throws -> [Kind] {
    guard !reference.isEmpty else { return [] }
    guard !Kind.isListedWhole else { return try await client.get([Kind].self, Kind.collectionPath).value }
    let named = Kind.handleField.map { "\($0) = '\(reference.replacing("'", with: "''"))'" }
    let begun = Self.isPrefix(reference) ? "id LIKE '\(reference.lowercased())%'" : nil
    let condition = [named, begun].compactMap(\.self).joined(separator: " OR ")
    guard !condition.isEmpty else { return [] }
    return try await client.get([Kind].self, Kind.collectionPath, query: [("query", condition)]).value
  }

  /// Whether the text is the beginning of an id, in either case.
  private static func isPrefix(_ text: String) -> Bool {
    guard text.utf8.count >= shortestPrefix else { return false }
    return UUIDText(text + "00000000-0000-0000-0000-000000000000".dropFirst(text.utf8.count)) != nil
  }

  /// The one object whose name is the reference, or whose id begins with it.
  static func choose<Kind: Resource>(_ reference: String, from all: [Kind]) throws -> Kind {
    let prefix = isPrefix(reference) ? reference.lowercased() : nil
    let meant = all.filter { object in
      object.handle == reference || prefix.map { "\(object.id)".hasPrefix($0) } ?? false
    }
    guard let first = meant.first else {
      throw CommandFailure(.notFound, "There is no \(Kind.noun) \"\(reference)\", or you may not see it.")
    }
    guard meant.count == 1 else {
      let candidates = meant.map { "  \($0.id)  \($0.handle ?? "")" }
      throw CommandFailure(.usage, lines: ["\"\(reference)\" may mean any of these:"] + candidates)
    }
    return first
  }
}
