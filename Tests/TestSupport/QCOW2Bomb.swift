import Foundation

/// A small qcow2 image, faultless to `qemu-img check`, each cluster of which expands from the same few bytes.
///
/// QEMU, docs/interop/qcow2.txt. The clusters of the file are, in this order: the header, the reference table, a block
/// of reference counts, the compressed data, the L1 table, the L2 tables.
struct QCOW2Bomb {
  let folder: ImageFolder
  /// Bytes of the disk, a multiple of 64 KiB.
  let size: Int
  private let cluster = 1 << 16

  init(folder: ImageFolder, diskLimit: Int64) {
    self.folder = folder
    size = Int(diskLimit) / cluster * cluster
  }

  func make() async throws -> HostileImage {
    let tables = (size / cluster + entriesPerTable - 1) / entriesPerTable
    let counts = [1, 1, 1, UInt64(size / cluster), 1] + [UInt64](repeating: 1, count: tables)
    let l1 = (0..<tables).map { UInt64(1) << 63 | UInt64((5 + $0) * cluster) }
    let data = try await compressedCluster()
    let front = [header(tables), bytes([UInt64(2 * cluster)]), bytes(counts), data, bytes(l1)].map(padded)
    try folder.write(Array(front.joined()) + entries(tables), "bomb.qcow2")
    return HostileImage("bomb.qcow2", "too_large", byHeader: false)
  }

  private var entriesPerTable: Int { cluster / 8 }

  private func header(_ tables: Int) -> [UInt8] {
    [UInt8](repeating: 0, count: 112).patched([
      Patch(0, UInt32(0x5146_49fb)), Patch(4, UInt32(3)), Patch(20, UInt32(16)), Patch(24, UInt64(size)),
      Patch(36, UInt32(tables)), Patch(40, UInt64(4 * cluster)), Patch(48, UInt64(cluster)), Patch(56, UInt32(1)),
      // Counts of 2^6 bits, because one cluster has as many users as the disk has clusters.
      Patch(96, UInt32(6)), Patch(100, UInt32(112)),
    ])
  }

  /// L2 tables in which every entry is the one sector of compressed data.
  private func entries(_ tables: Int) -> [UInt8] {
    let entry = bytes([UInt64(1) << 62 | UInt64(3 * cluster)])
    let full = Array([[UInt8]](repeating: entry, count: entriesPerTable).joined())
    let all = Array([[UInt8]](repeating: full, count: tables).joined())
    return padded(Array(all.prefix(size / cluster * 8)))
  }

  /// A cluster full of one letter as a raw deflate stream: what gzip writes, without its header and trailer; RFC 1952.
  private func compressedCluster() async throws -> [UInt8] {
    defer { for name in ["letters", "letters.gz"] { try? folder.remove(name) } }
    try folder.write([UInt8](repeating: UInt8(ascii: "A"), count: cluster), "letters")
    try await Shell.run("gzip", "-n", "-k", folder.file("letters"))
    return Array(try folder.read("letters.gz").dropFirst(10).dropLast(8))
  }

  private func bytes(_ numbers: [UInt64]) -> [UInt8] { numbers.flatMap { Patch(0, $0).bytes } }

  /// Filled up to whole clusters.
  private func padded(_ bytes: [UInt8]) -> [UInt8] {
    bytes + [UInt8](repeating: 0, count: (cluster - bytes.count % cluster) % cluster)
  }
}
