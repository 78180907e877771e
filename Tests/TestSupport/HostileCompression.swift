import Foundation

/// Compressed files that expand too far, not at all, or to something that is refused itself.
struct HostileCompression {
  private struct Format {
    let tool: String
    let suffix: String
  }

  let folder: ImageFolder
  /// An empty qcow2 image.
  let base: [UInt8]
  let diskLimit: Int64

  private let formats = [
    Format(tool: "gzip", suffix: "gz"), Format(tool: "xz", suffix: "xz"), Format(tool: "zstd", suffix: "zst"),
  ]

  func make() async throws -> [HostileImage] {
    var made: [HostileImage] = []
    for format in formats { made += try await make(format) }
    try folder.write(Self.hugeWindow, "window-of-2-gib.zst")
    try await hugeDictionary()
    return made + (try await twice())
      + ["window-of-2-gib.zst", "dictionary-of-384-mib.xz"].map { HostileImage($0, "too_large", byHeader: false) }
  }

  private func make(_ format: Format) async throws -> [HostileImage] {
    let suffix = format.suffix
    let packed = try await pack(base + (0..<65_536).map { UInt8(truncatingIfNeeded: $0 &* $0 / 7) }, by: format)
    let middle = packed.count / 2
    let files: [(String, [UInt8], String)] = [
      ("cut-in-half", Array(packed.prefix(middle)), "corrupt"), ("cut-at-end", packed.dropLast(), "corrupt"),
      ("damaged", packed.patched([Patch(middle, ~packed[middle])]), "corrupt"),
      ("garbage-behind", packed + Array("garbage".utf8), "corrupt"),
      ("sparse.vmdk", try await pack(try folder.read("sparse.vmdk"), by: format), "bad_format"),
      ("page.html", try await pack(try folder.read("page.html"), by: format), "bad_format"),
      ("empty", try await pack([], by: format), "bad_format"),
      ("backing", try await pack(try folder.read("backing-absolute.qcow2"), by: format), "unsafe_image"),
      ("disk-over-limit", try await pack(base.patched([Patch(24, UInt64(1) << 60)]), by: format), "too_large"),
    ]
    for (name, bytes, _) in files { try folder.write(Array(bytes), "\(name).\(suffix)") }
    try await bomb(format)
    return [HostileImage("bomb.\(suffix)", "too_large", byHeader: false)]
      + files.map { HostileImage("\($0.0).\(suffix)", $0.2, byHeader: false) }
  }

  private func pack(_ bytes: [UInt8], by format: Format) async throws -> [UInt8] {
    try folder.write(bytes, "plain")
    return try await packPlain(by: format)
  }

  private func packPlain(by format: Format, _ option: String = "-6") async throws -> [UInt8] {
    defer { for name in ["plain", "plain.\(format.suffix)"] { try? folder.remove(name) } }
    try await Shell.run(format.tool, "-k", "-q", option, folder.file("plain"))
    return try folder.read("plain.\(format.suffix)")
  }

  /// The same 64 MiB of zeros again and again, as members of one file.
  private func bomb(_ format: Format) async throws {
    let unit: Int64 = 64 << 20
    try await Shell.run("truncate", "-s", String(unit), folder.file("plain"))
    let member = Data(try await packPlain(by: format))
    try Data().write(to: URL(fileURLWithPath: folder.file("bomb.\(format.suffix)")))
    let handle = try FileHandle(forWritingTo: URL(fileURLWithPath: folder.file("bomb.\(format.suffix)")))
    defer { try? handle.close() }
    for _ in 0..<(2 * diskLimit / unit + 2) { try handle.write(contentsOf: member) }
  }

  /// Only the outer compression is undone.
  private func twice() async throws -> [HostileImage] {
    try folder.write(try await pack(try folder.read("backing.gz"), by: formats[0]), "twice.gz.gz")
    return [HostileImage("twice.gz.gz", "bad_format", byHeader: false)]
  }

  /// A few bytes that ask for as much memory as a large file might.
  private func hugeDictionary() async throws {
    try folder.write([1, 2, 3], "plain")
    try folder.write(try await packPlain(by: formats[1], "--lzma2=preset=0,dict=384MiB"), "dictionary-of-384-mib.xz")
  }

  /// A frame without content that asks for a window of 2 GiB: magic, descriptor, window of 2^(10 + 21), an empty last
  /// block; RFC 8878, 3.1.1.
  private static let hugeWindow: [UInt8] = [0x28, 0xb5, 0x2f, 0xfd, 0x00, 21 << 3, 0x01, 0x00, 0x00]
}
