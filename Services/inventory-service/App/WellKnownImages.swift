import Foundation
import Models

/// The public cloud images that can be imported by name. Their checksums are not kept here but read from their publishers,
/// who replace the images by newer ones.
struct WellKnownImages: Sendable {
  let images: [WellKnownImage]

  /// - Throws: When the catalogue that was built in cannot be read: a defect of ours.
  init() throws {
    images = try JSONDecoder().decode([WellKnownImage].self, from: Data(PackageResources.well_known_images_json))
  }

  func image(named name: String) -> WellKnownImage? { images.first { $0.name == name } }
}
