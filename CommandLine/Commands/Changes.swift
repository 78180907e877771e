import Models

extension CommandContext {
  /// Makes or alters an object, and prints it.
  func change<Kind: Resource>(
    _ request: APIRequest, _ kind: Kind.Type, _ wait: WaitOptions, _ output: Output
  ) async throws {
    try output.object(try await waiter(wait).change(request, kind).object)
  }

  /// Removes an object, and says that it is gone or will be.
  func remove<Kind: Resource>(
    _ id: UUIDText, as reference: String, _ kind: Kind.Type, _ wait: WaitOptions, _ output: Output
  ) async throws {
    try await remove(.delete(kind.path(id)), id, as: reference, kind, wait, output)
  }

  func remove<Kind: Resource>(
    _ request: APIRequest, _ id: UUIDText, as reference: String, _ kind: Kind.Type, _ wait: WaitOptions,
    _ output: Output
  ) async throws {
    let verb = try await waiter(wait).remove(request, kind) ? "Removed" : "Removing"
    let label = reference == "\(id)" ? reference : "\(reference) (\(id))"
    try output.note("\(verb) the \(kind.noun) \(label).", name: reference, members: ["id": "\(id)"])
  }
}
