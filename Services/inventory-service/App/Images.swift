import Foundation
import Models
import Persistence

/// Adding, seeing, changing and removing images.
struct Images: Sendable {
  let store: ImageStore
  let policy: AddressPolicy
  let files: ImageFiles
  let catalogue: WellKnownImages

  func list(_ caller: Caller) -> Listing<Image> { store.listing(caller) }

  func get(_ id: ImageID, _ caller: Caller) async throws -> Image {
    guard let image = try await store.get(id, caller) else { throw ServiceError.notFound(.image) }
    return image
  }

  /// - Throws: `url_forbidden` at once for a URL that no import may follow; a host that cannot be found now may be found by
  ///   the import. `invalid_field` for a name that the catalogue does not have; `no_space`.
  func add(_ request: NewImage, _ origin: RequestOrigin) async throws -> Accepted<Image> {
    let record = try record(of: request)
    for url in [record.url, record.checksums].compactMap({ $0 }) {
      do { _ = try await policy.resolve(try AddressPolicy.checkedURL(url)) } catch let error as ServiceError
        where error.code == .sourceFailed
      {}
    }
    try files.require(1)
    return try await store.insert(record, request, origin)
  }

  private func record(of request: NewImage) throws -> ImageRecord {
    guard let url = request.url, NewImage.isName(url) else {
      return ImageRecord(
        name: request.name ?? "", desc: request.desc ?? "", url: request.url, sha256: request.sha256,
        checksums: request.checksums, arch: request.arch ?? Architecture.standard)
    }
    guard let known = catalogue.image(named: url) else {
      let names = catalogue.images.map(\.name).joined(separator: ", ")
      throw ServiceError.invalid("url", "must be a URL or the name of a well-known image: \(names).")
    }
    return ImageRecord(
      name: request.name ?? known.name, desc: request.desc ?? known.desc, url: known.url, sha256: request.sha256,
      checksums: request.checksums ?? known.checksums, arch: request.arch ?? Architecture.standard)
  }

  func update(_ id: ImageID, _ update: ImageUpdate, _ caller: Caller) async throws -> Image {
    try await store.update(id, update, caller)
  }

  func remove(_ id: ImageID, _ caller: Caller) async throws { try await store.delete(id, caller) }
}
