import DiskImages
import Foundation
import Models
import TestSupport
import Testing

@Suite struct RawDiskTests {
  private func disk(_ parts: (Int, [UInt8])...) -> [UInt8] {
    var bytes = [UInt8](repeating: 0, count: 65_536)
    for (offset, part) in [(510, [0x55, 0xaa])] + parts {
      bytes.replaceSubrange(offset..<(offset + part.count), with: part)
    }
    return bytes
  }

  private func code(_ bytes: [UInt8], footer: [UInt8] = []) -> ErrorCode? {
    ErrorCode.thrown {
      try DiskInspector.inspect(bytes, fileSize: Int64(bytes.count), limit: 1 << 30, footer: footer)
    }
  }

  @Test func disksThatCanBootAreTaken() throws {
    let guid = disk((510, [0, 0]), (512, Array("EFI PART".utf8)))
    for bytes in [disk(), disk((512, Array("EFI PART".utf8))), guid] {
      let header = try DiskInspector.inspect(bytes, fileSize: 65_536, limit: 65_536)
      #expect(header.format == .raw)
      #expect(header.virtualSize == 65_536)
      #expect(ErrorCode.thrown { try DiskInspector.inspect(bytes, fileSize: 65_536, limit: 65_535) } == .tooLarge)
    }
    #expect(code(Array(disk().prefix(512))) == nil)
  }

  @Test func aDiskIsReadFromItsFileWithTheFooter() async throws {
    try await TestEnvironment.withFolder { folder in
      let image = "\(folder)/image"
      try Data(disk()).write(to: URL(fileURLWithPath: image))
      try await Shell.run("truncate", "-s", "1G", image)
      #expect(try DiskInspector.inspect(file: image, limit: 1 << 30).virtualSize == 1 << 30)
      #expect(ErrorCode.thrown { try DiskInspector.inspect(file: image, limit: 1 << 29) } == .tooLarge)
      let handle = try FileHandle(forUpdating: URL(fileURLWithPath: image))
      try handle.seek(toOffset: (1 << 30) - 512)
      try handle.write(contentsOf: Data("conectix".utf8))
      try handle.close()
      #expect(ErrorCode.thrown { try DiskInspector.inspect(file: image, limit: 1 << 30) } == .badFormat)
    }
  }

  @Test(arguments: [
    (0, "KDMV"), (0, "COWD"), (0, "# Disk DescriptorFile\nversion=1"), (0, "# any\n\n # other\r\n \nversion=3\n"),
    (0, "version=1\n"), (0, "<<< Oracle VM"), (64, "\u{7f}\u{10}"), (0, "conectix"), (0, "vhdxfile"), (0, "QED\0"),
    (0, "WithoutFreeSpace"), (0, "WithouFreSpacExt"), (0, "Bochs Virtual HD Image"), (0, "#!/bin/sh\n#V2.0 Format"),
    (257, "ustar"), (32_769, "CD001"), (32_769, "BEA01"), (0, "LUKS"), (514, "HdrS"), (0, "BZh9"),
    (0, "PK\u{3}\u{4}"), (0, "LZIP"), (0, "<!DOCTYPE html>"), (0, "\n <html>"), (0, "\u{feff}<?xml version"),
    (65_536 - 512, "conectix"), (65_536 - 512, "koly"),
  ])
  func otherFormatsAreRefusedAlsoWithABootSignature(_ offset: Int, _ magic: String) {
    let bytes = offset == 64 ? [0x7f, 0x10, 0xda, 0xbe] : Array(magic.utf8)
    #expect(code(disk((offset, bytes))) == .badFormat)
  }

  @Test func compressedFilesAreNoDisks() {
    for magic: [UInt8] in [
      [0x1f, 0x8b, 0x08], [0xfd, 0x37, 0x7a, 0x58, 0x5a, 0], [0x28, 0xb5, 0x2f, 0xfd], [0x5a, 0x2a, 0x4d, 0x18],
      [0x37, 0x7a, 0xbc, 0xaf, 0x27, 0x1c], [0x04, 0x22, 0x4d, 0x18],
    ] { #expect(code(disk((0, magic))) == .badFormat) }
  }

  @Test func aFooterCountsWhenItIsGiven() {
    for magic in ["conectix", "koly"] {
      #expect(code(disk(), footer: Array(magic.utf8) + [UInt8](repeating: 0, count: 504)) == .badFormat)
    }
    #expect(code(disk(), footer: [UInt8](repeating: 0, count: 512)) == nil)
    #expect(code(disk(), footer: [1, 2, 3]) == nil)
  }

  @Test func whatIsNoDiskIsRefused() {
    #expect(code([]) == .badFormat)
    #expect(code([1, 2, 3]) == .badFormat)
    #expect(code(Array(repeating: 0, count: 512)) == .badFormat)
    #expect(code(Array("<!DOCTYPE html><html></html>".utf8) + [UInt8](repeating: 0x20, count: 512)) == .badFormat)
    #expect(code(disk() + [0]) == .badFormat)
    #expect(code(Array(disk().prefix(511))) == .badFormat)
  }

  @Test func aFileThatCannotBeReadIsNotTheImagesFault() {
    #expect(ErrorCode.thrown { try DiskInspector.inspect(file: "/nowhere", limit: 1) } == .internalError)
    #expect(ErrorCode.thrown { try DiskInspector.inspect(file: "/", limit: 1) } == .internalError)
  }
}
