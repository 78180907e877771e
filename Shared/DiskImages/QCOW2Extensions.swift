import Models

/// The list of extensions between a qcow2 header and the end of its cluster; QEMU, docs/interop/qcow2.txt,
/// "Header extensions".
enum QCOW2Extensions {
  private static let end: UInt32 = 0
  private static let dataFileName: UInt32 = 0x4441_5441
  private static let encryptionHeader: UInt32 = 0x0537_be77

  /// Walks the list. Extensions that are not known may be skipped, says the format. So is the name of a backing file's
  /// format, which QEMU reads only where there is a backing file.
  /// - Parameters:
  ///   - start: Where the header ends, a multiple of 8.
  ///   - limit: Where the cluster ends.
  /// - Throws: `unsafe_image` for what names another file or a key, `corrupt` for an extension that leaves the cluster.
  static func check(_ bytes: BigEndianBytes, from start: Int, to limit: Int) throws {
    var offset = start
    while offset < limit {
      let kind: UInt32 = try bytes.number(at: offset)
      let length: UInt32 = try bytes.number(at: offset + 4)
      let data = offset + 8
      guard Int(length) <= limit - data else {
        throw ServiceError(.corrupt, "An extension of the image's header is longer than the header.")
      }
      guard kind != end else { return }
      try check(kind)
      offset = data + (Int(length) + 7) / 8 * 8
    }
  }

  private static func check(_ kind: UInt32) throws {
    guard kind != dataFileName else {
      throw ServiceError(.unsafeImage, "The image names another file for its data; make it self-contained.")
    }
    guard kind != encryptionHeader else { throw ServiceError(.unsafeImage, "The image has an encryption header.") }
  }
}
