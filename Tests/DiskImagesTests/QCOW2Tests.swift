import DiskImages
import Foundation
import Models
import TestSupport
import Testing

/// Images as `qemu-img` makes them, and headers made byte by byte from QEMU's docs/interop/qcow2.txt.
@Suite struct QCOW2Tests {
  private static let size: Int64 = 10 << 20

  private func expectTaken(_ path: String, sourceLocation: SourceLocation = #_sourceLocation) throws {
    let header = try DiskInspector.inspect(file: path, limit: Self.size)
    #expect(header.format == .qcow2, sourceLocation: sourceLocation)
    #expect(header.virtualSize == Self.size, sourceLocation: sourceLocation)
    #expect(
      ErrorCode.thrown { try DiskInspector.inspect(file: path, limit: Self.size - 1) } == .tooLarge,
      sourceLocation: sourceLocation)
  }

  @Test(arguments: [
    "compat=0.10", "compat=1.1", "cluster_size=512", "cluster_size=4k", "cluster_size=2M", "extended_l2=on",
    "extended_l2=on,cluster_size=16k", "compression_type=zstd", "refcount_bits=1", "refcount_bits=64",
    "lazy_refcounts=on", "preallocation=metadata", "preallocation=falloc,compat=0.10",
  ])
  func whatQEMUCreatesIsTaken(_ options: String) async throws {
    try await TestEnvironment.withFolder { folder in
      let image = "\(folder)/image"
      try await Shell.run("qemu-img", "create", "-q", "-f", "qcow2", "-o", options, image, String(Self.size))
      try expectTaken(image)
    }
  }

  @Test(arguments: ["compat=0.10", "compression_type=zstd", "extended_l2=on,compression_type=zstd"])
  func whatQEMUConvertsIsTakenAlsoWithSnapshotsAndBitmaps(_ options: String) async throws {
    try await TestEnvironment.withFolder { folder in
      let (data, image) = ("\(folder)/data", "\(folder)/image")
      let bytes = (0..<(1 << 20)).map { UInt8(truncatingIfNeeded: $0 / 100) }
      try Data(bytes).write(to: URL(fileURLWithPath: data))
      try await Shell.run("truncate", "-s", String(Self.size), data)
      try await Shell.run("qemu-img", "convert", "-c", "-f", "raw", "-O", "qcow2", "-o", options, data, image)
      try expectTaken(image)
      for name in ["one", "two"] { try await Shell.run("qemu-img", "snapshot", "-c", name, image) }
      if options != "compat=0.10" { try await Shell.run("qemu-img", "bitmap", "-f", "qcow2", "--add", image, "bits") }
      try expectTaken(image)
    }
  }

  @Test func aFlattenedImageIsTaken() async throws {
    try await TestEnvironment.withFolder { folder in
      let (base, image) = ("\(folder)/base", "\(folder)/image")
      try await Shell.run("qemu-img", "create", "-q", "-f", "raw", base, String(Self.size))
      try await Shell.run("qemu-img", "create", "-q", "-f", "qcow2", "-F", "raw", "-b", base, image)
      #expect(ErrorCode.thrown { try DiskInspector.inspect(file: image, limit: Self.size) } == .unsafeImage)
      try await Shell.run("qemu-img", "rebase", "-f", "qcow2", "-F", "raw", "-b", "", image)
      try expectTaken(image)
    }
  }

  @Test func whatIsHarmlessIsSkipped() throws {
    let backingFormat = HeaderBytes(extensions: [(0xe279_2aca, Array("raw".utf8))])
    let unknown = HeaderBytes(extensions: [(1, [1, 2, 3]), (2, []), (0x6803_f857, [UInt8](repeating: 9, count: 48))])
    for header in [HeaderBytes(), HeaderBytes(features: 1), backingFormat, unknown, HeaderBytes(compatible: .max)] {
      #expect(header.code == nil)
    }
  }

  @Test func anExtensionCountsWhereverItIsInTheFirstCluster() {
    for padding in [0, 7, 8, 1000, 3900] {
      let filler: (UInt32, [UInt8]) = (7, [UInt8](repeating: 0, count: padding))
      #expect(HeaderBytes(extensions: [filler, (0x4441_5441, [])]).code == .unsafeImage)
      #expect(HeaderBytes(extensions: [filler, (0x0537_be77, [])]).code == .unsafeImage)
      #expect(HeaderBytes(extensions: [filler, (0, []), (0x4441_5441, [])]).code == nil)
    }
    let last = (1 << 21) - 112 - 16
    let large = HeaderBytes(clusterBits: 21, extensions: [(7, [UInt8](repeating: 0, count: last)), (0x4441_5441, [])])
    #expect(large.code == .unsafeImage)
    #expect(HeaderBytes(clusterBits: 21, extensions: [(7, [UInt8](repeating: 0, count: last))]).code == nil)
  }

  @Test func aHeaderThatIsCutOffIsCorrupt() {
    let bytes = HeaderBytes().bytes
    for count in Array(4..<300) + [4096, 8192, 12_288, 12_295] {
      let code = ErrorCode.thrown {
        try DiskInspector.inspect(Array(bytes.prefix(count)), fileSize: Int64(count), limit: 1 << 30)
      }
      #expect(code == .corrupt, "\(count) bytes")
    }
  }

  @Test func aHeaderThatWasNotReadWholeIsRefused() {
    let bytes = HeaderBytes().bytes
    for size in [Int64(bytes.count + 1), .max] {
      #expect(ErrorCode.thrown { try DiskInspector.inspect(bytes, fileSize: size, limit: 1 << 30) } == .corrupt)
    }
  }

  @Test func everyUnknownFeatureIsUnsafe() {
    for bit in 5..<64 { #expect(HeaderBytes(features: 1 << UInt64(bit)).code == .unsafeImage) }
  }

  /// Overflow would end the process.
  @Test func noFieldsAtTheirEdgesAreMoreThanRefused() {
    let fields = [(4, 4), (8, 8), (16, 4), (20, 4), (24, 8), (32, 4), (36, 4), (40, 8), (48, 8), (56, 4), (60, 4)]
    let more = [(64, 8), (72, 8), (88, 8), (96, 4), (100, 4), (112, 4), (116, 4)]
    let edges: [UInt64] = [0, 1, 3, 21, 1 << 31 - 1, 1 << 31, 0xffff_ffff, 1 << 62, 1 << 63 - 512, 1 << 63, .max]
    let good = HeaderBytes().bytes
    for (first, second) in zip(fields + more, (fields + more).dropFirst()) {
      for one in edges {
        for other in edges {
          var bytes = good
          bytes.put(one, at: first.0, width: first.1)
          bytes.put(other, at: second.0, width: second.1)
          let code = ErrorCode.thrown {
            try DiskInspector.inspect(bytes, fileSize: Int64(bytes.count), limit: .max)
          }
          #expect([nil, .corrupt, .unsafeImage, .tooLarge, .badFormat].contains(code))
        }
      }
    }
  }
}
