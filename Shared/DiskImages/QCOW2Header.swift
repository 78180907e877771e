import Models

/// The fields of a qcow2 header that decide something, as they stand in the file; QEMU, docs/interop/qcow2.txt,
/// "Header".
struct QCOW2Header {
  /// Features that a reader must know to read the image at all.
  struct Features: OptionSet {
    let rawValue: UInt64

    static let dirty = Features(rawValue: 1 << 0)
    static let corrupt = Features(rawValue: 1 << 1)
    static let externalData = Features(rawValue: 1 << 2)
    static let compressionType = Features(rawValue: 1 << 3)
    static let extendedEntries = Features(rawValue: 1 << 4)
    static let known: Features = [.dirty, .corrupt, .compressionType, .extendedEntries]
  }

  let backingOffset: UInt64
  let backingSize: UInt32
  let clusterBits: UInt32
  let size: UInt64
  let encryption: UInt32
  let l1Entries: UInt32
  let l1Offset: UInt64
  let referenceOffset: UInt64
  let referenceClusters: UInt32
  let snapshots: UInt32
  let snapshotsOffset: UInt64
  let features: Features
  /// Bit 1 of the features that a writer clears: the external data file is a raw disk.
  let isRawExternal: Bool
  let referenceOrder: UInt32
  let length: UInt32
  let shortestLength: UInt32
  /// 0 is zlib, 1 is zstd.
  let compressionType: UInt8

  /// - Throws: `unsafe_image` for versions but 2 and 3, `corrupt` when the header is cut off.
  init(_ bytes: BigEndianBytes) throws {
    let version: UInt32 = try bytes.number(at: 4)
    guard version == 2 || version == 3 else {
      throw ServiceError(.unsafeImage, "The image is qcow2 of version \(version); versions 2 and 3 are taken.")
    }
    backingOffset = try bytes.number(at: 8)
    backingSize = try bytes.number(at: 16)
    clusterBits = try bytes.number(at: 20)
    size = try bytes.number(at: 24)
    encryption = try bytes.number(at: 32)
    l1Entries = try bytes.number(at: 36)
    l1Offset = try bytes.number(at: 40)
    referenceOffset = try bytes.number(at: 48)
    referenceClusters = try bytes.number(at: 56)
    snapshots = try bytes.number(at: 60)
    snapshotsOffset = try bytes.number(at: 64)
    // Version 2 ends here and means these.
    shortestLength = version == 2 ? 72 : 104
    features = Features(rawValue: version == 2 ? 0 : try bytes.number(at: 72))
    let cleared: UInt64 = version == 2 ? 0 : try bytes.number(at: 88)
    isRawExternal = cleared & 2 != 0
    referenceOrder = version == 2 ? 4 : try bytes.number(at: 96)
    length = version == 2 ? 72 : try bytes.number(at: 100)
    compressionType = length > 104 ? try bytes.number(at: 104) : 0
  }

  /// Bytes. Only meaningful when `clusterBits` is in range.
  var clusterSize: UInt64 { 1 << UInt64(clusterBits) }
}
