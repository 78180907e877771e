import DiskImages
import Foundation
import Models
import TestSupport
import Testing

/// Files as the tools of each compression write them.
@Suite struct CompressionTests {
  private struct Folder {
    let path: String
    var plain: String { "\(path)/plain" }
    var expanded: String { "\(path)/expanded" }

    func packed(_ compression: Compression) -> String { "\(path)/packed.\(compression.rawValue)" }

    /// Writes the bytes, and what the tool makes of them.
    func pack(_ bytes: [UInt8], _ compression: Compression) async throws {
      try Data(bytes).write(to: URL(fileURLWithPath: plain))
      try await pack(compression)
    }

    func pack(_ compression: Compression) async throws {
      let suffix = [Compression.gzip: "gz", .xz: "xz", .zstd: "zst"][compression] ?? ""
      try await Shell.run(compression.rawValue, "-k", "-q", plain)
      try FileManager.default.moveItem(atPath: "\(plain).\(suffix)", toPath: packed(compression))
    }

    /// - Returns: The code of a refusal, after whatever came out was compared with the limit.
    func expand(_ compression: Compression, limit: Int64 = 1 << 30) throws -> ErrorCode? {
      let code = ErrorCode.thrown { try compression.expand(packed(compression), to: expanded, limit: limit) { false } }
      let size = try FileManager.default.attributesOfItem(atPath: expanded)[.size] as? Int64 ?? 0
      #expect(size <= limit)
      return code
    }

    func bytes(_ path: String) throws -> [UInt8] { Array(try Data(contentsOf: URL(fileURLWithPath: path))) }

    func append(_ bytes: [UInt8], to compression: Compression) throws {
      let handle = try FileHandle(forWritingTo: URL(fileURLWithPath: packed(compression)))
      defer { try? handle.close() }
      try handle.seekToEnd()
      try handle.write(contentsOf: bytes)
    }
  }

  private func withFolder(_ body: (Folder) async throws -> Void) async throws {
    try await TestEnvironment.withFolder { try await body(Folder(path: $0)) }
  }

  /// A disk with a boot sector, data between holes, and a hole at its end.
  private let disk: [UInt8] = {
    let noise = (0..<299_900).map { UInt8(truncatingIfNeeded: $0 &* $0 >> 7) }
    var bytes = [UInt8](repeating: 0, count: 3 << 20)
    bytes.replaceSubrange(510..<512, with: [0x55, 0xaa])
    bytes.replaceSubrange((1 << 20) + 100..<(1 << 20) + 300_000, with: noise)
    return bytes
  }()

  @Test(arguments: Compression.allCases)
  func aDiskExpandsToTheSameBytesWithHoles(_ compression: Compression) async throws {
    try await withFolder { folder in
      try await folder.pack(disk + [1, 2, 3], compression)
      #expect(Compression(magic: Array(try folder.bytes(folder.packed(compression)).prefix(16))) == compression)
      let count = try compression.expand(folder.packed(compression), to: folder.expanded, limit: 1 << 30) { false }
      #expect(count == 3 << 20 + 3)
      #expect(try folder.bytes(folder.expanded) == disk + [1, 2, 3])
      var status = stat()
      #expect(stat(folder.expanded, &status) == 0)
      #expect(status.st_blocks * 512 <= 8 * 65_536)
    }
  }

  @Test(arguments: Compression.allCases)
  func aFileThatEndsInAHoleHasItsFullLength(_ compression: Compression) async throws {
    try await withFolder { folder in
      try await folder.pack(disk, compression)
      try Data([UInt8](repeating: 7, count: 5 << 20)).write(to: URL(fileURLWithPath: folder.expanded))
      #expect(try folder.expand(compression) == nil)
      #expect(try folder.bytes(folder.expanded) == disk)
    }
  }

  @Test(arguments: Compression.allCases)
  func whatQEMUMakesIsTheSameBehindCompression(_ compression: Compression) async throws {
    for options in ["compat=0.10", "extended_l2=on,compression_type=zstd", "cluster_size=2M"] {
      try await withFolder { folder in
        try await Shell.run("qemu-img", "create", "-q", "-f", "qcow2", "-o", options, folder.plain, "10M")
        try await folder.pack(compression)
        #expect(try folder.expand(compression) == nil)
        #expect(try folder.bytes(folder.expanded) == folder.bytes(folder.plain))
        #expect(try DiskInspector.inspect(file: folder.expanded, limit: 10 << 20).virtualSize == 10 << 20)
      }
    }
  }

  @Test(arguments: Compression.allCases)
  func membersFollowOneAnother(_ compression: Compression) async throws {
    try await withFolder { folder in
      try await folder.pack(disk, compression)
      let member = try folder.bytes(folder.packed(compression))
      for _ in 0..<2 { try folder.append(member, to: compression) }
      #expect(try folder.expand(compression) == nil)
      #expect(try folder.bytes(folder.expanded) == disk + disk + disk)
    }
  }

  @Test(arguments: Compression.allCases)
  func nothingExpandsToNothing(_ compression: Compression) async throws {
    try await withFolder { folder in
      try await folder.pack([], compression)
      #expect(try folder.expand(compression) == nil)
      #expect(try folder.bytes(folder.expanded) == [])
    }
  }

  @Test(arguments: Compression.allCases)
  func theLimitIsKept(_ compression: Compression) async throws {
    try await withFolder { folder in
      try await folder.pack(disk, compression)
      let size = Int64(disk.count)
      #expect(try folder.expand(compression, limit: size) == nil)
      for limit in [size - 1, size / 2, 1, 0] { #expect(try folder.expand(compression, limit: limit) == .tooLarge) }
    }
  }

  @Test(arguments: Compression.allCases)
  func whatFollowsTheLastMemberIsCorrupt(_ compression: Compression) async throws {
    for garbage: [UInt8] in [[0], [1], [UInt8](repeating: 0x2a, count: 300_000)] {
      try await withFolder { folder in
        try await folder.pack(disk, compression)
        try folder.append(garbage, to: compression)
        #expect(try folder.expand(compression) == .corrupt)
      }
    }
  }

  @Test func xzIsPaddedByFours() async throws {
    for (count, code) in [(4, nil), (400, nil), (3, ErrorCode.corrupt), (6, .corrupt)] {
      try await withFolder { folder in
        try await folder.pack(disk, .xz)
        try folder.append([UInt8](repeating: 0, count: count), to: .xz)
        #expect(try folder.expand(.xz) == code)
      }
    }
  }

  @Test func zstdMayBeginWithAFrameToSkip() async throws {
    try await withFolder { folder in
      try await folder.pack(disk, .zstd)
      let frame: [UInt8] = [0x50, 0x2a, 0x4d, 0x18, 4, 0, 0, 0, 1, 2, 3, 4]
      let bytes = frame + (try folder.bytes(folder.packed(.zstd))) + frame
      try Data(bytes).write(to: URL(fileURLWithPath: folder.packed(.zstd)))
      #expect(Compression(magic: bytes) == .zstd)
      #expect(try folder.expand(.zstd) == nil)
      #expect(try folder.bytes(folder.expanded) == disk)
    }
  }

  @Test(arguments: Compression.allCases)
  func expandingEndsWhenItIsCancelled(_ compression: Compression) async throws {
    try await withFolder { folder in
      try await folder.pack(disk, compression)
      var asked = 0
      #expect(throws: CancellationError.self) {
        try compression.expand(folder.packed(compression), to: folder.expanded, limit: 1 << 30) {
          asked += 1
          return asked == 2
        }
      }
      #expect(try folder.bytes(folder.expanded).count <= 2 << 20)
    }
  }

  @Test(arguments: Compression.allCases)
  func aFullDiskIsNoSpace(_ compression: Compression) async throws {
    try await withFolder { folder in
      try await folder.pack(disk, compression)
      let code = ErrorCode.thrown {
        try compression.expand(folder.packed(compression), to: "/dev/full", limit: 1 << 30) { false }
      }
      #expect(code == .noSpace)
      for (source, target) in [("/nowhere", folder.expanded), (folder.path, folder.expanded), (folder.plain, "/")] {
        let code = ErrorCode.thrown { try compression.expand(source, to: target, limit: 1) { false } }
        #expect(code == .internalError)
      }
    }
  }

  @Test func othersAreNoCompression() {
    let others: [[UInt8]] = [
      [], [0x1f], [0x1f, 0x8b], [0x1f, 0x8b, 7], [0xfd, 0x37], [0x28, 0xb5, 0x2f], [0x50, 0x2a],
      [0x60, 0x2a, 0x4d, 0x18],
    ]
    for magic in others {
      #expect(Compression(magic: magic) == nil)
    }
  }
}
