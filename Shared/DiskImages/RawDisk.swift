import Models

/// The rules for raw disks: bytes without a header, so that anything could be one.
///
/// A raw disk is taken when a firmware could boot it, and when it has the header of nothing else: another program that
/// guesses formats, as QEMU does when it is not told, would read it as that.
enum RawDisk {
  /// - Parameter footer: The file's last bytes, or none.
  /// - Throws: `bad_format`.
  static func check(_ header: [UInt8], fileSize: Int64, footer: ArraySlice<UInt8>) throws {
    if let name = Signature.name(header: header, footer: footer) {
      throw ServiceError(.badFormat, "The file is \(name); images are qcow2 or raw disks.")
    }
    guard fileSize > 0 else { throw ServiceError(.badFormat, "The file is empty.") }
    guard fileSize % 512 == 0, hasBootSignature(header) || hasPartitionTable(header) else {
      throw ServiceError(.badFormat, "The file is neither a qcow2 image nor a raw disk that can boot.")
    }
  }

  /// The last bytes of a boot sector; UEFI 2.10, 5.2.1, "Legacy Master Boot Record".
  private static func hasBootSignature(_ header: [UInt8]) -> Bool {
    header.count >= 512 && header[510] == 0x55 && header[511] == 0xaa
  }

  /// A GPT in the second sector; UEFI 2.10, 5.3.2, "GPT Header".
  private static func hasPartitionTable(_ header: [UInt8]) -> Bool {
    header.count >= 1024 && header[512...].starts(with: "EFI PART".utf8)
  }
}
