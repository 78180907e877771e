import Foundation

/// qcow2 images whose header is not possible, or means what is not known.
struct HostileHeaders {
  let folder: ImageFolder
  /// An empty qcow2 image of version 3, of 8 MiB, in clusters of 4 KiB: its reference table is at 4 KiB, its L1 table
  /// of 4 entries at 12 KiB.
  let base: [UInt8]
  let diskLimit: Int64

  func make() async throws -> [HostileImage] {
    let large = "disk-over-limit.qcow2"
    try await Shell.run("qemu-img", "create", "-q", "-f", "qcow2", folder.file(large), String(diskLimit + 1 << 20))
    let all = versions + fields + tables + sizes
    for (name, _, patches) in all { try folder.write(base.patched(patches), "\(name).qcow2") }
    let cuts = [4, 60, 103, 300, 4096, base.count - 1]
    for count in cuts { try folder.write(Array(base.prefix(count)), "cut-at-\(count).qcow2") }
    return all.map { HostileImage("\($0.0).qcow2", $0.1) } + cuts.map { HostileImage("cut-at-\($0).qcow2", "corrupt") }
      + [HostileImage(large, "too_large")]
  }

  private typealias Case = (String, String, [Patch])

  private var versions: [Case] {
    [
      ("version-0", "unsafe_image", [Patch(4, UInt32(0))]), ("version-1", "unsafe_image", [Patch(4, UInt32(1))]),
      ("version-4", "unsafe_image", [Patch(4, UInt32(4))]), ("version-max", "unsafe_image", [Patch(4, UInt32.max)]),
      ("feature-5", "unsafe_image", [Patch(72, UInt64(1) << 5)]),
      ("feature-63", "unsafe_image", [Patch(72, UInt64(1) << 63)]),
      ("compression-unknown", "unsafe_image", [Patch(72, UInt64(1) << 3), Patch(104, UInt8(2))]),
      ("marked-corrupt", "corrupt", [Patch(72, UInt64(1) << 1)]),
      ("compression-without-type", "corrupt", [Patch(72, UInt64(1) << 3)]),
      ("compression-without-bit", "corrupt", [Patch(104, UInt8(1))]),
      ("raw-external-without-data-file", "corrupt", [Patch(88, UInt64(2))]),
      ("extended-entries-in-small-clusters", "corrupt", [Patch(72, UInt64(1) << 4)]),
    ]
  }

  private var fields: [Case] {
    let clusters = [0, 8, 22, 63, UInt32.max].map { ("cluster-bits-\($0)", "corrupt", [Patch(20, $0)]) }
    let lengths = [0, 72, 108, 8192, UInt32.max - 7].map { ("header-length-\($0)", "corrupt", [Patch(100, $0)]) }
    return clusters + lengths + [
      ("reference-order-7", "corrupt", [Patch(96, UInt32(7))]),
      ("extension-too-long", "corrupt", [Patch(112, UInt64(0x1234_5678) << 32 | 3977)]),
      ("extension-huge", "corrupt", [Patch(112, UInt64(0x1234_5678) << 32 | 0xffff_ffff)]),
    ]
  }

  private var tables: [Case] {
    let (l1, references, snapshots) = (40, 48, 64)
    let one = Patch(60, UInt32(1))
    let cases: [(String, [Patch])] = [
      ("l1-huge", [Patch(36, UInt32.max)]), ("l1-over-32-mib", [Patch(36, UInt32(4 << 20) + 1)]),
      ("l1-too-small", [Patch(36, UInt32(3))]), ("l1-none", [Patch(36, UInt32(0))]),
      ("l1-misaligned", [Patch(l1, UInt64(8192 + 512))]), ("l1-in-header", [Patch(l1, UInt64(0))]),
      ("l1-outside", [Patch(l1, UInt64(1) << 40)]), ("l1-wraps", [Patch(l1, UInt64.max - 4095)]),
      ("l1-on-references", [Patch(l1, UInt64(4096))]),
      ("references-huge", [Patch(56, UInt32.max)]), ("references-over-8-mib", [Patch(56, UInt32(2049))]),
      ("references-none", [Patch(56, UInt32(0))]), ("references-misaligned", [Patch(references, UInt64(4104))]),
      ("references-in-header", [Patch(references, UInt64(0))]),
      ("references-outside", [Patch(references, UInt64(1) << 62)]),
      ("references-wrap", [Patch(references, UInt64.max - 4095)]),
      ("references-over-l1", [Patch(56, UInt32(3))]),
      ("snapshots-too-many", [Patch(60, UInt32(65_537))]), ("snapshots-huge", [Patch(60, UInt32.max)]),
      ("snapshots-misaligned", [one, Patch(snapshots, UInt64(8193))]), ("snapshots-in-header", [one]),
      ("snapshots-outside", [one, Patch(snapshots, UInt64(1) << 50)]),
      ("snapshots-on-l1", [one, Patch(snapshots, UInt64(12_288))]),
    ]
    return cases.map { ($0, "corrupt", $1) }
  }

  private var sizes: [Case] {
    [
      ("size-zero", "corrupt", [Patch(24, UInt64(0))]), ("size-in-a-sector", "corrupt", [Patch(24, UInt64(513))]),
      ("size-over-limit", "too_large", [Patch(24, UInt64(diskLimit) / 512 * 512 + 512)]),
      ("size-max", "too_large", [Patch(24, UInt64.max - 511)]),
      ("size-max-signed", "too_large", [Patch(24, UInt64(1) << 63 - 512)]),
    ]
  }
}
