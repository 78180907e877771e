import Models
import Testing

@testable import InventoryService

/// Headers made byte by byte from QEMU's docs/interop/qcow2.txt.
struct QCOW2Header {
  var version: UInt32 = 3
  var backingOffset: UInt64 = 0
  var backingSize: UInt32 = 0
  var clusterBits: UInt32 = 16
  var size: UInt64 = 1 << 28
  var encryption: UInt32 = 0
  var features: UInt64 = 0

  var bytes: [UInt8] {
    func big(_ value: some FixedWidthInteger) -> [UInt8] { withUnsafeBytes(of: value.bigEndian) { Array($0) } }
    let start: [UInt8] = [0x51, 0x46, 0x49, 0xfb] + big(version) + big(backingOffset) + big(backingSize)
    let rest: [UInt8] = big(clusterBits) + big(size) + big(encryption)
    let header = start + rest + [UInt8](repeating: 0, count: 36) + big(features)
    return header + [UInt8](repeating: 0, count: 512 - header.count)
  }
}

@Suite struct DiskFormatTests {
  private func recognise(_ bytes: [UInt8], limit: Int64 = 1 << 40) -> Result<DiskFormat, ServiceError> {
    do {
      return .success(try DiskFormat.recognise(bytes, fileSize: Int64(bytes.count), limit: limit).format)
    } catch let error as ServiceError { return .failure(error) } catch { return .failure(ServiceError.of(code: error)) }
  }

  private func code(_ bytes: [UInt8], limit: Int64 = 1 << 40) -> ErrorCode? {
    if case .failure(let error) = recognise(bytes, limit: limit) { return error.code }
    return nil
  }

  private func raw(_ change: (inout [UInt8]) -> Void = { _ in }) -> [UInt8] {
    var bytes = [UInt8](repeating: 0, count: 65_536)
    (bytes[510], bytes[511]) = (0x55, 0xaa)
    change(&bytes)
    return bytes
  }

  @Test func goodImagesAreTaken() {
    #expect((try? recognise(QCOW2Header().bytes).get()) == .qcow2)
    #expect((try? recognise(QCOW2Header(version: 2).bytes).get()) == .qcow2)
    #expect((try? recognise(raw()).get()) == .raw)
  }

  @Test func whatReachesOutOfTheFileIsUnsafe() {
    #expect(code(QCOW2Header(backingOffset: 512, backingSize: 11).bytes) == .unsafeImage)
    #expect(code(QCOW2Header(backingSize: 11).bytes) == .unsafeImage)
    #expect(code(QCOW2Header(features: 1 << 2).bytes) == .unsafeImage)
    #expect(code(QCOW2Header(encryption: 1).bytes) == .unsafeImage)
    #expect(code(QCOW2Header(version: 4).bytes) == .unsafeImage)
    for bit in 5..<64 { #expect(code(QCOW2Header(features: 1 << UInt64(bit)).bytes) == .unsafeImage) }
  }

  @Test func damageIsCorrupt() {
    #expect(code(QCOW2Header(features: 1 << 1).bytes) == .corrupt)
    #expect(code(QCOW2Header(size: 0).bytes) == .corrupt)
    #expect(code(QCOW2Header(size: .max).bytes) == .corrupt)
    for bits: UInt32 in [0, 8, 22, 64] { #expect(code(QCOW2Header(clusterBits: bits).bytes) == .corrupt) }
    for count in 4..<112 { #expect(code(Array(QCOW2Header().bytes.prefix(count))) == .corrupt) }
  }

  @Test func hugeDisksAreRefused() {
    #expect(code(QCOW2Header(size: 1 << 41).bytes) == .tooLarge)
    #expect(code(raw(), limit: 512) == .tooLarge)
  }

  @Test(arguments: [
    (0, "KDMV"), (0, "# Disk DescriptorFile\nversion=1"), (0, "conectix"), (0, "vhdxfile"), (0, "QED\0"),
    (257, "ustar"),
    (32_769, "CD001"), (0, "LUKS"),
  ])
  func otherFormatsAreRefusedAlsoWithABootSignature(_ offset: Int, _ magic: String) {
    let bytes = raw { $0.replaceSubrange(offset..<(offset + magic.utf8.count), with: magic.utf8) }
    #expect(code(bytes) == .badFormat)
  }

  @Test func whatIsNoDiskIsRefused() {
    #expect(code([]) == .badFormat)
    #expect(code([1, 2, 3]) == .badFormat)
    #expect(code(Array(repeating: 0, count: 512)) == .badFormat)
    #expect(code(Array("<!DOCTYPE html><html></html>".utf8) + [UInt8](repeating: 0x20, count: 512)) == .badFormat)
    #expect(code(raw() + [0]) == .badFormat)
  }
}

extension ServiceError {
  fileprivate static func of(code error: any Error) -> ServiceError {
    ServiceError(.internalError, "unexpected", detail: String(reflecting: error))
  }
}
