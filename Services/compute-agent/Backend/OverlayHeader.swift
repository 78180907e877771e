import Foundation
import Models

/// What the first bytes of a disk from another host say: enough to know that reading it opens no other file but the one
/// under it (QEMU's docs/interop/qcow2.txt).
struct OverlayHeader: Equatable {
  let virtualSize: Int64

  static let length = 104
  private static let magic: [UInt8] = [0x51, 0x46, 0x49, 0xfb]
  /// Incompatible features that do no harm: dirty counts, another compression, and subclusters. Others name a file for the
  /// data, say that it is damaged, or are unknown.
  private static let harmless: UInt64 = 1 << 0 | 1 << 3 | 1 << 4

  /// - Parameter limit: Bytes of the largest disk that it may be.
  /// - Throws: `bad_format`, `unsafe_image`, `too_large`.
  init(_ bytes: [UInt8], limit: Int64) throws {
    guard bytes.count >= Self.length, bytes.starts(with: Self.magic) else {
      throw ServiceError(.badFormat, "The VM's disk is not in the format that hosts exchange.")
    }
    func number(_ offset: Int, _ count: Int) -> UInt64 {
      bytes[offset..<offset + count].reduce(0) { $0 << 8 | UInt64($1) }
    }
    let (version, encryption, snapshots) = (number(4, 4), number(32, 4), number(60, 4))
    guard version == 3, encryption == 0, snapshots == 0, number(72, 8) & ~Self.harmless == 0 else {
      throw ServiceError(.unsafeImage, "The VM's disk has features that are not taken from other hosts.")
    }
    guard let size = Int64(exactly: number(24, 8)), size <= limit else {
      throw ServiceError(.tooLarge, "The VM's disk is larger than it should be.")
    }
    virtualSize = size
  }

  init(file path: String, limit: Int64) throws {
    guard let file = FileHandle(forReadingAtPath: path) else {
      throw ServiceError(.internalError, "The VM's disk cannot be read.", detail: path)
    }
    defer { try? file.close() }
    try self.init(Array(try file.read(upToCount: Self.length) ?? Data()), limit: limit)
  }
}
