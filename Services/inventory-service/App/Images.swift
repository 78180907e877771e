import Foundation
import Models

/// Adding, seeing and removing images.
struct Images: Sendable {
  let store: ImageStore
  let policy: AddressPolicy

  func list(_ caller: Caller) async throws -> [Image] { try await store.list(caller) }

  func get(_ id: ImageID, _ caller: Caller) async throws -> Image {
    guard let image = try await store.get(id, caller) else { throw ServiceError.notFound(.image) }
    return image
  }

  /// - Throws: `url_forbidden` at once for a URL that no import may follow. A host that cannot be found now may be
  ///   found by the import.
  func add(_ request: NewImage, _ caller: Caller, requestID: String) async throws -> Accepted<Image> {
    let url = try AddressPolicy.checkedURL(request.url)
    do { _ = try await policy.resolve(url) } catch let error as ServiceError where error.code == .sourceFailed {}
    return try await store.insert(request, caller, requestID: requestID)
  }

  func remove(_ id: ImageID, _ caller: Caller) async throws { try await store.delete(id, caller) }
}
