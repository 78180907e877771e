import Models

/// Where the tables that a qcow2 header names lie in the file.
struct QCOW2Tables {
  /// A table: it begins at a cluster and has whole clusters to itself.
  private struct Table {
    let offset: UInt64
    let length: UInt64
  }

  // QEMU's limits in block/qcow2.h: QCOW_MAX_L1_SIZE, QCOW_MAX_REFTABLE_SIZE, QCOW_MAX_SNAPSHOTS.
  private static let l1Limit: UInt64 = 32 << 20
  private static let referenceLimit: UInt64 = 8 << 20
  private static let snapshotLimit: UInt64 = 65_536
  /// Bytes of an entry of the snapshot table without its names.
  private static let snapshotEntry: UInt64 = 40

  private let header: QCOW2Header

  /// - Parameter header: One whose geometry was checked.
  init(_ header: QCOW2Header) { self.header = header }

  // None of the products can overflow: they are below 2^32 times 2^21.
  private var l1: Table { Table(offset: header.l1Offset, length: UInt64(header.l1Entries) * 8) }
  private var references: Table {
    Table(offset: header.referenceOffset, length: UInt64(header.referenceClusters) * header.clusterSize)
  }
  private var snapshots: Table {
    Table(offset: header.snapshotsOffset, length: UInt64(header.snapshots) * Self.snapshotEntry)
  }

  /// - Throws: `corrupt`.
  func check(fileSize: UInt64) throws {
    guard l1.length <= Self.l1Limit, references.length <= Self.referenceLimit,
      UInt64(header.snapshots) <= Self.snapshotLimit
    else { throw ServiceError(.corrupt, "The image has tables that are too large.") }
    guard l1Reaches, references.length > 0 else {
      throw ServiceError(.corrupt, "The image has tables that are too small for its disk.")
    }
    let tables = [l1, references, snapshots]
    guard tables.allSatisfy({ isAligned($0) && isInside($0, fileSize) }) else {
      throw ServiceError(.corrupt, "The image has tables that begin within a cluster, or is cut off.")
    }
    guard areApart([Table(offset: 0, length: header.clusterSize)] + tables) else {
      throw ServiceError(.corrupt, "The image has tables that overlap.")
    }
  }

  /// Whether the L1 table has an entry for every part of the disk. An entry stands for a cluster of L2 entries.
  private var l1Reaches: Bool {
    let entryBits: UInt64 = header.features.contains(.extendedEntries) ? 4 : 3
    let coveredBits = 2 * UInt64(header.clusterBits) - entryBits
    return UInt64(header.l1Entries) > (header.size - 1) >> coveredBits
  }

  private func isAligned(_ table: Table) -> Bool { table.offset % header.clusterSize == 0 }

  private func isInside(_ table: Table, _ fileSize: UInt64) -> Bool {
    table.offset <= fileSize && table.length <= fileSize - table.offset
  }

  /// Tables that are aligned and inside a file of at most 2^63 bytes, so that no end can overflow.
  private func areApart(_ tables: [Table]) -> Bool {
    let sorted = tables.filter { $0.length > 0 }.sorted { $0.offset < $1.offset }
    return zip(sorted, sorted.dropFirst()).allSatisfy { $0.offset + $0.length <= $1.offset }
  }
}
