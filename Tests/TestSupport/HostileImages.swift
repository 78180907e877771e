import Foundation

/// An image that an import must refuse.
public struct HostileImage: Sendable {
  /// The file's name in the folder.
  public let name: String
  /// The code it must be refused with.
  public let code: String
  /// The header alone must get it refused. For the rest, expanding, `qemu-img check` or the bounds of a conversion
  /// tell.
  public let byHeader: Bool

  init(_ name: String, _ code: String, byHeader: Bool = true) {
    self.name = name
    self.code = code
    self.byHeader = byHeader
  }
}

/// Makes images that no import may take, so that tests of every layer use the same.
public enum HostileImages {
  /// - Parameters:
  ///   - folder: Exists, and is empty.
  ///   - canary: The absolute path of a file that many of the images name. Nothing may read it, and no byte of it may
  ///     be found in an image.
  ///   - canaryPort: A port of 127.0.0.1 that others of them name. Nothing may connect to it.
  ///   - diskLimit: The largest disk that the import takes, in bytes, at least 64 MiB. Bombs expand to twice as much
  ///     and 128 MiB. The bomb of qcow2 has a disk of just this size; whoever bounds files tighter refuses it.
  /// - Throws: When `qemu-img`, `xorrisofs`, `tar`, `gzip`, `xz` or `zstd` fails.
  public static func make(
    in folder: String, canary: String, canaryPort: Int, diskLimit: Int64
  ) async throws -> [HostileImage] {
    let folder = ImageFolder(path: folder)
    let base = try await folder.emptyQCOW2()
    var made = try HostileText(folder: folder, canary: canary).make()
    made += try await HostileFormats(folder: folder).make()
    made += try await HostileReferences(folder: folder, base: base, canary: canary, port: canaryPort).make()
    made += try await HostileHeaders(folder: folder, base: base, diskLimit: diskLimit).make()
    made += try await HostileTables(folder: folder).make()
    made += try await HostileCompression(folder: folder, base: base, diskLimit: diskLimit).make()
    made.append(try await QCOW2Bomb(folder: folder, diskLimit: diskLimit).make())
    return made
  }
}

/// What is no disk at all.
struct HostileText {
  let folder: ImageFolder
  let canary: String

  func make() throws -> [HostileImage] {
    let page = Array("<!DOCTYPE html>\n<html><head><title>404 Not Found</title></head><body></body></html>\n".utf8)
    let descriptor = Array(descriptor.utf8)
    let blanks = [UInt8](repeating: 0x20, count: 1024)
    let files: [(String, [UInt8])] = [
      ("empty.raw", []), ("three-bytes.raw", [1, 2, 3]), ("zeros.raw", [UInt8](repeating: 0, count: 1 << 20)),
      ("page.html", page), ("page-bootable.raw", signed(page + blanks)),
      ("descriptor.vmdk", descriptor), ("descriptor-bootable.raw", signed(descriptor + blanks)),
      ("ends-in-a-sector.raw", signed(blanks) + [0]),
    ]
    return try files.map { name, bytes in
      try folder.write(bytes, name)
      return HostileImage(name, "bad_format")
    }
  }

  private var descriptor: String {
    """
    # Disk DescriptorFile
    version=1
    CID=fffffffe
    parentCID=ffffffff
    createType="monolithicFlat"
    RW 2048 FLAT "\(canary)" 0

    """
  }

  /// With the signature of a boot sector, cut to whole sectors.
  private func signed(_ bytes: [UInt8]) -> [UInt8] {
    var bytes = Array(bytes.prefix(1024))
    bytes.replaceSubrange(510..<512, with: bootSignature)
    return bytes
  }
}

/// The last bytes of a boot sector.
let bootSignature: [UInt8] = [0x55, 0xaa]
