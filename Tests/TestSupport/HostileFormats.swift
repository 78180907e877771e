import Foundation

/// Images of other formats, as they are, and disguised as a raw disk by the signature of a boot sector.
struct HostileFormats {
  let folder: ImageFolder

  func make() async throws -> [HostileImage] {
    for (name, format, options) in machines {
      try await Shell.run("qemu-img", "create", "-q", "-f", format, "-o", options, folder.file(name), "1M")
    }
    try await archives()
    try folder.write(Array("LUKS".utf8) + [0xba, 0xbe, 0, 1] + [UInt8](repeating: 0, count: 1 << 16), "encrypted.luks")
    let names = machines.map(\.name) + ["cd.iso", "archive.tar", "encrypted.luks"]
    for name in names { try folder.copy(name, as: "\(name)-bootable.raw", Patch(510, bootSignature)) }
    try await Shell.run("qemu-img", "create", "-q", "-f", "qcow", folder.file("version-1.qcow"), "1M")
    return names.flatMap { [HostileImage($0, "bad_format"), HostileImage("\($0)-bootable.raw", "bad_format")] }
      + [HostileImage("version-1.qcow", "unsafe_image")]
  }

  private let machines: [(name: String, format: String, options: String)] = [
    ("sparse.vmdk", "vmdk", "subformat=monolithicSparse"), ("stream.vmdk", "vmdk", "subformat=streamOptimized"),
    ("disk.vdi", "vdi", "static=off"), ("dynamic.vhd", "vpc", "subformat=dynamic"),
    ("fixed.vhd", "vpc", "subformat=fixed,force_size=on"), ("disk.vhdx", "vhdx", "subformat=dynamic"),
    ("disk.qed", "qed", "cluster_size=65536"), ("disk.parallels", "parallels", "cluster_size=1M"),
  ]

  private func archives() async throws {
    try FileManager.default.createDirectory(atPath: folder.file("content"), withIntermediateDirectories: false)
    defer { try? folder.remove("content") }
    try folder.write(Array("a file\n".utf8), "content/file")
    try await Shell.run("xorrisofs", "-quiet", "-o", folder.file("cd.iso"), folder.file("content"))
    try await Shell.run("tar", "-C", folder.path, "-cf", folder.file("archive.tar"), "content")
  }
}
