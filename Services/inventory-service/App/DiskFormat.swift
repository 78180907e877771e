import Foundation
import Models

/// What a disk image claims to be in its first bytes. Only formats that we know to be safe are taken.
enum DiskFormat: String, Sendable {
  case qcow2, raw

  /// How much of a file `recognise` must see, in bytes: a CD image says so at 32 KiB.
  static let headerLength = 40_960

  /// Reads the header.
  /// - Parameters:
  ///   - header: The file's first bytes, up to `headerLength`.
  ///   - fileSize: Bytes.
  ///   - limit: The largest disk, in bytes, that is taken.
  /// - Returns: The format, and the size of the disk that a guest sees, in bytes.
  /// - Throws: `bad_format`, `unsafe_image`, `corrupt` or `too_large`.
  static func recognise(_ header: [UInt8], fileSize: Int64, limit: Int64) throws -> (format: DiskFormat, size: Int64) {
    let found = header.starts(with: Self.qcowMagic) ? try qcow2(header) : try raw(header, fileSize: fileSize)
    guard found.size <= limit else {
      throw ServiceError(.tooLarge, "The disk of the image is larger than \(limit >> 30) GiB.")
    }
    return found
  }

  private static let qcowMagic: [UInt8] = [0x51, 0x46, 0x49, 0xfb]

  /// QEMU, docs/interop/qcow2.txt.
  private static func qcow2(_ header: [UInt8]) throws -> (format: DiskFormat, size: Int64) {
    guard header.count >= 112 else { throw ServiceError(.corrupt, "The qcow2 header is cut off.") }
    func number<Value: FixedWidthInteger>(_ offset: Int, _: Value.Type) -> Value {
      header[offset..<(offset + MemoryLayout<Value>.size)].reduce(0) { $0 << 8 | Value($1) }
    }
    let version = number(4, UInt32.self)
    guard version == 2 || version == 3 else {
      throw ServiceError(.unsafeImage, "The image is qcow2 of version \(version); versions 2 and 3 are taken.")
    }
    guard number(8, UInt64.self) == 0, number(16, UInt32.self) == 0 else {
      throw ServiceError(.unsafeImage, "The image needs a backing file; make it self-contained (qemu-img convert).")
    }
    guard number(32, UInt32.self) == 0 else { throw ServiceError(.unsafeImage, "The image is encrypted.") }
    let features = version == 3 ? number(72, UInt64.self) : 0
    guard features & (1 << 2) == 0 else {
      throw ServiceError(.unsafeImage, "The image keeps its data in another file; make it self-contained.")
    }
    guard features & (1 << 1) == 0 else { throw ServiceError(.corrupt, "The image is marked as corrupt.") }
    // Bit 0 is "dirty", bit 3 a compression type, bit 4 extended entries; the rest is not known to us.
    guard features & ~0b11001 == 0 else {
      throw ServiceError(.unsafeImage, "The image uses features of qcow2 that are not known here.")
    }
    let size = number(24, UInt64.self)
    guard (9...21).contains(number(20, UInt32.self)), size > 0, size < 1 << 62 else {
      throw ServiceError(.corrupt, "The qcow2 header is not plausible.")
    }
    return (.qcow2, Int64(size))
  }

  /// A raw disk is taken when it has a boot signature and the header of nothing else.
  private static func raw(_ header: [UInt8], fileSize: Int64) throws -> (format: DiskFormat, size: Int64) {
    for (name, offset, magic) in foreign
    where header.count >= offset + magic.utf8.count && header[offset...].starts(with: magic.utf8) {
      throw ServiceError(.badFormat, "The file is \(name); images are qcow2 or raw disks.")
    }
    guard header.count >= 512, fileSize % 512 == 0, header[510] == 0x55, header[511] == 0xaa else {
      throw ServiceError(.badFormat, "The file is neither a qcow2 image nor a raw disk that can boot.")
    }
    return (.raw, fileSize)
  }

  private static let foreign: [(String, Int, String)] = [
    ("a VMDK image", 0, "KDMV"), ("a VMDK image", 0, "COWD"), ("a VMDK descriptor", 0, "# Disk DescriptorFile"),
    ("a VDI image", 0, "<<< "), ("a VHD image", 0, "conectix"), ("a VHDX image", 0, "vhdxfile"),
    ("a QED image", 0, "QED\0"), ("a Parallels image", 0, "WithoutFreeSpace"), ("an encrypted disk", 0, "LUKS"),
    ("a tar archive", 257, "ustar"), ("a CD image", 32_769, "CD001"),
  ]
}
