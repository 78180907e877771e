/// What formats that are not taken are known by.
struct Signature {
  let name: String
  let offset: Int
  let bytes: [UInt8]

  init(_ name: String, at offset: Int = 0, _ text: String) {
    self.init(name, at: offset, Array(text.utf8))
  }

  init(_ name: String, at offset: Int = 0, _ bytes: [UInt8]) {
    self.name = name
    self.offset = offset
    self.bytes = bytes
  }

  /// - Returns: What a file is that has the header or the footer of another format, as it stands in a sentence.
  static func name(header: [UInt8], footer: ArraySlice<UInt8>) -> String? {
    if let compression = Compression(magic: header) { return "compressed with \(compression.rawValue)" }
    if let found = atStart.first(where: { $0.matches(header[...]) }) { return found.name }
    if let found = atEnd.first(where: { $0.matches(footer) }) { return found.name }
    return nameOfText(header)
  }

  private func matches(_ part: ArraySlice<UInt8>) -> Bool { part.dropFirst(offset).starts(with: bytes) }

  /// QEMU's own readers in its block folder decide for those of virtual machines.
  private static let atStart = [
    Signature("a VMDK image", "KDMV"), Signature("a VMDK image", "COWD"),
    Signature("a VMDK descriptor", "# Disk DescriptorFile"),
    Signature("a VDI image", "<<< "), Signature("a VDI image", at: 64, [0x7f, 0x10, 0xda, 0xbe]),
    Signature("a VHD image", "conectix"), Signature("a VHDX image", "vhdxfile"), Signature("a QED image", "QED\0"),
    Signature("a Parallels image", "WithoutFreeSpace"), Signature("a Parallels image", "WithouFreSpacExt"),
    Signature("a Bochs image", "Bochs Virtual HD Image"), Signature("a script or a cloop image", "#!/"),
    Signature("an encrypted disk", "LUKS"),
    Signature("a tar archive", at: 257, "ustar"), Signature("a Linux kernel", at: 514, "HdrS"),
    // ECMA-119, 8.1, and ECMA-167, part 2, 9.1: the volume descriptors begin at the seventeenth sector of 2048 bytes.
    Signature("a CD image", at: 32_769, "CD001"), Signature("a UDF image", at: 32_769, "BEA01"),
    Signature("compressed with bzip2", "BZh"), Signature("a zip archive", "PK\u{3}\u{4}"),
    Signature("a 7z archive", [0x37, 0x7a, 0xbc, 0xaf, 0x27, 0x1c]),
    Signature("compressed with lz4", [0x04, 0x22, 0x4d, 0x18]), Signature("compressed with lzip", "LZIP"),
  ]

  private static let atEnd = [Signature("a fixed VHD image", "conectix"), Signature("a DMG image", "koly")]

  /// How much of a file QEMU looks at when it guesses a format, in bytes: BLOCK_PROBE_BUF_SIZE.
  private static let probed = 512

  /// HTML and XML by their first characters, and a VMDK descriptor as QEMU's vmdk_probe() finds it: after comments and
  /// empty lines there is a version.
  private static func nameOfText(_ header: [UInt8]) -> String? {
    let mark: [UInt8] = [0xef, 0xbb, 0xbf]
    var text = header.prefix(probed).dropFirst(header.starts(with: mark) ? mark.count : 0).drop(while: isBlank)
    if text.starts(with: "<".utf8), let second = text.dropFirst().first, isMarkup(second) { return "a web page or XML" }
    while text.starts(with: "#".utf8) { text = text.drop { $0 != UInt8(ascii: "\n") }.drop(while: isBlank) }
    return text.starts(with: "version=".utf8) ? "a VMDK descriptor" : nil
  }

  private static func isBlank(_ byte: UInt8) -> Bool { " \t\r\n".utf8.contains(byte) }

  /// What may follow the first angle bracket of a document.
  private static func isMarkup(_ byte: UInt8) -> Bool {
    let letters = UInt8(ascii: "a")...UInt8(ascii: "z")
    return "!?".utf8.contains(byte) || letters.contains(byte | 0x20)
  }
}
