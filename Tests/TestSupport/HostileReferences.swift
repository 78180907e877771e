import Foundation

/// qcow2 images that name something outside of themselves, or need a key.
struct HostileReferences {
  let folder: ImageFolder
  /// An empty qcow2 image of version 3.
  let base: [UInt8]
  let canary: String
  let port: Int

  func make() async throws -> [HostileImage] {
    for (name, backing) in backings {
      // `-u` keeps qemu-img from opening what is named.
      try await Shell.run(
        "qemu-img", "create", "-q", "-u", "-f", "qcow2", "-F", "raw", "-b", backing, folder.file(name), "8M")
    }
    try hideInRaw()
    for (name, patches) in patched { try folder.write(base.patched(patches), name) }
    let names = backings.map(\.0) + patched.map(\.0) + ["backing-in-raw.raw"]
    return names.map { HostileImage($0, "unsafe_image") }
  }

  private var backings: [(String, String)] {
    [
      ("backing-absolute.qcow2", canary),
      ("backing-relative.qcow2", String(repeating: "../", count: 24) + canary.dropFirst()),
      ("backing-json.qcow2", #"json:{"driver":"raw","file":{"driver":"file","filename":"\#(canary)"}}"#),
      ("backing-nbd.qcow2", "nbd://127.0.0.1:\(port)/canary"),
      ("backing-json-nbd.qcow2", #"json:{"driver":"raw","file":\#(server)}"#),
    ]
  }

  /// Where the header of `base` ends and its extensions begin.
  private var extensions: Int { Int(base.number(at: 96) & 0xffff_ffff) }

  private var patched: [(String, [Patch])] {
    let dataFile = Patch(72, UInt64(1) << 2)
    let key = [Patch(extensions, UInt64(0x0537_be77) << 32 | 16), Patch(extensions + 24, UInt64(0))]
    return [
      ("data-file.qcow2", [dataFile, dataFileName(canary)]),
      ("data-file-json.qcow2", [dataFile, dataFileName("json:\(server)")]),
      ("data-file-without-name.qcow2", [dataFile, Patch(extensions, UInt64(0))]),
      ("data-file-without-bit.qcow2", [dataFileName(canary)]),
      ("backing-size-alone.qcow2", [Patch(16, UInt32(8))]),
      ("backing-out-of-the-header.qcow2", [Patch(8, UInt64(8192)), Patch(16, UInt32(8))]),
      ("encrypted-aes.qcow2", [Patch(32, UInt32(1))]), ("encrypted-luks.qcow2", [Patch(32, UInt32(2))] + key),
      ("encryption-unknown.qcow2", [Patch(32, UInt32(3))]), ("encryption-header.qcow2", key),
    ]
  }

  /// A server as QEMU spells it in JSON.
  private var server: String {
    #"{"driver":"nbd","server":{"type":"inet","host":"127.0.0.1","port":"\#(port)"}}"#
  }

  /// The extension that names a data file, and the end of the list after it.
  private func dataFileName(_ name: String) -> Patch {
    let text = Array(name.utf8)
    let padding = [UInt8](repeating: 0, count: (8 - text.count % 8) % 8 + 8)
    return Patch(extensions, Patch(0, UInt64(0x4441_5441) << 32 | UInt64(text.count)).bytes + text + padding)
  }

  /// A disk that can boot, and begins with the header of an image with a backing file. The signature of its boot sector
  /// lies where the names of features are, which QEMU does not mind.
  private func hideInRaw() throws {
    let image = try folder.read("backing-absolute.qcow2")
    let disk = image + [UInt8](repeating: 0, count: (1 << 20) - image.count)
    try folder.write(disk.patched([Patch(510, bootSignature)]), "backing-in-raw.raw")
  }
}
