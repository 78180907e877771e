import Models

/// The rules for qcow2 images, after QEMU's docs/interop/qcow2.txt and the limits that its block/qcow2.c sets.
enum QCOW2 {
  static let magic: [UInt8] = [0x51, 0x46, 0x49, 0xfb]
  static let clusterBits: ClosedRange<UInt32> = 9...21

  /// - Returns: Bytes of the disk that a guest sees.
  /// - Throws: `unsafe_image` for what reaches out of the file or is not known here, `too_large`, else `corrupt`.
  static func size(_ bytes: [UInt8], fileSize: Int64, limit: Int64) throws -> Int64 {
    let bytes = BigEndianBytes(bytes)
    let header = try QCOW2Header(bytes)
    try header.checkSafety()
    try header.checkGeometry()
    try QCOW2Extensions.check(bytes, from: Int(header.length), to: Int(header.clusterSize))
    let size = try DiskInspector.checked(header.size, limit: limit)
    try QCOW2Tables(header).check(fileSize: UInt64(max(0, fileSize)))
    return size
  }
}

extension QCOW2Header {
  /// What would make QEMU open something else, ask for a key, or read the image by rules that are not known here.
  func checkSafety() throws {
    guard backingOffset == 0, backingSize == 0 else {
      throw ServiceError(.unsafeImage, "The image needs a backing file; make it self-contained (qemu-img convert).")
    }
    guard encryption == 0 else { throw ServiceError(.unsafeImage, "The image is encrypted.") }
    guard !features.contains(.externalData) else {
      throw ServiceError(.unsafeImage, "The image keeps its data in another file; make it self-contained.")
    }
    guard features.isSubset(of: .known), compressionType <= 1 else {
      throw ServiceError(.unsafeImage, "The image uses features of qcow2 that are not known here.")
    }
  }

  /// Whether the fields are possible by themselves, and with one another.
  func checkGeometry() throws {
    guard !features.contains(.corrupt) else { throw ServiceError(.corrupt, "The image is marked as corrupt.") }
    // Extended entries divide a cluster in 32 parts, none smaller than a sector.
    let smallest = features.contains(.extendedEntries) ? 14 : QCOW2.clusterBits.lowerBound
    guard clusterBits >= smallest, clusterBits <= QCOW2.clusterBits.upperBound, referenceOrder <= 6 else {
      throw ServiceError(.corrupt, "The image's cluster size or reference counts are not possible.")
    }
    guard length >= shortestLength, length % 8 == 0, length <= clusterSize else {
      throw ServiceError(.corrupt, "The image's header has a length that is not possible.")
    }
    guard features.contains(.compressionType) == (compressionType != 0), !isRawExternal else {
      throw ServiceError(.corrupt, "The image's header contradicts itself.")
    }
    // QEMU writes whole sectors only, and reads other sizes as less than they say.
    guard size > 0, size % 512 == 0 else {
      throw ServiceError(.corrupt, "The image's disk is empty or ends within a sector.")
    }
  }
}
