import Foundation
import Models

/// The formats that are taken.
public enum DiskFormat: String, Sendable { case qcow2, raw }

/// What the header of a disk image says.
public struct DiskHeader: Sendable, Equatable {
  public let format: DiskFormat
  /// Bytes of the disk that a guest sees.
  public let virtualSize: Int64
}

/// Decides by its first bytes whether a file is a disk image that may be given to QEMU.
///
/// The input is hostile. What passes names no other file and no socket, needs no key, and has its tables inside the
/// file; what lies deeper in the tables is for `qemu-img check` to judge.
public enum DiskInspector {
  /// How much of a file `inspect` must see, in bytes: the largest first cluster that QEMU allows, because extensions of
  /// the header may be anywhere in it.
  public static let headerLength = 1 << QCOW2.clusterBits.upperBound

  /// How much of a file's end tells the formats that have their header there, in bytes.
  public static let footerLength = 512

  /// Reads the header.
  /// - Parameters:
  ///   - header: The file's first `headerLength` bytes, or all of a shorter file.
  ///   - fileSize: Bytes.
  ///   - limit: The largest disk, in bytes, that is taken.
  ///   - footer: The file's last `footerLength` bytes. A fixed VHD and a DMG say there what they are, so leave it out
  ///     only where `header` is the whole file.
  /// - Throws: `ServiceError` with `bad_format`, `unsafe_image`, `corrupt` or `too_large`.
  public static func inspect(
    _ header: [UInt8], fileSize: Int64, limit: Int64, footer: [UInt8] = []
  ) throws -> DiskHeader {
    guard header.count >= min(Int64(headerLength), fileSize) else {
      throw ServiceError(.corrupt, "The image is cut off.")
    }
    if header.starts(with: QCOW2.magic) {
      return DiskHeader(format: .qcow2, virtualSize: try QCOW2.size(header, fileSize: fileSize, limit: limit))
    }
    let end = footer.isEmpty && header.count == fileSize ? header.suffix(footerLength) : footer.suffix(footerLength)
    try RawDisk.check(header, fileSize: fileSize, footer: end)
    return DiskHeader(format: .raw, virtualSize: try checked(UInt64(fileSize), limit: limit))
  }

  /// Reads the header of a file, and its footer.
  /// - Throws: As the other, and `internal_error` when the file cannot be read.
  public static func inspect(file path: String, limit: Int64) throws -> DiskHeader {
    let file = try Descriptor(reading: path)
    let size = try file.size()
    let header = try file.bytes(at: 0, count: headerLength)
    let footer = try file.bytes(at: max(0, size - Int64(footerLength)), count: footerLength)
    return try inspect(header, fileSize: size, limit: limit, footer: footer)
  }

  /// - Throws: `too_large`.
  static func checked(_ size: UInt64, limit: Int64) throws -> Int64 {
    guard let size = Int64(exactly: size), size <= limit else {
      throw ServiceError(.tooLarge, "The disk of the image is larger than the limit of \(limit >> 20) MiB.")
    }
    return size
  }
}
