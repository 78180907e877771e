import Foundation

/// qcow2 images with a header that is in order, and damage behind it that only `qemu-img check` finds.
struct HostileTables {
  let folder: ImageFolder

  func make() async throws -> [HostileImage] {
    let full = try await folder.fullQCOW2(withSnapshot: false)
    let snapshot = try await folder.fullQCOW2(withSnapshot: true)
    let lost = Patch(Int(snapshot.number(at: 64)), UInt64(1) << 40)
    var images = damages(full).map { ($0, full.patched([$1])) }
    images.append(("snapshot-l1-outside", snapshot.patched([lost])))
    images.append(("half", Array(full.prefix(full.count / 2))))
    images.append(("last-cluster-missing", Array(full.dropLast(1 << 16))))
    for (name, bytes) in images { try folder.write(bytes, "\(name).qcow2") }
    return images.map { HostileImage("\($0.0).qcow2", "corrupt", byHeader: false) }
  }

  /// - Parameter full: An image with data; its tables are found as QEMU's docs/interop/qcow2.txt says.
  private func damages(_ full: [UInt8]) -> [(String, Patch)] {
    let (l1, references) = (Int(full.number(at: 40)), Int(full.number(at: 48)))
    let offset: UInt64 = (1 << 56) - 512
    let l2 = Int(full.number(at: l1) & offset)
    let block = Int(full.number(at: references) & offset)
    let own: UInt64 = 1 << 63
    let far: UInt64 = 1 << 40
    return [
      ("l1-entry-outside", Patch(l1, own | far)), ("l1-entry-misaligned", Patch(l1, own | UInt64(l2 + 512))),
      ("l1-entry-on-references", Patch(l1, own | UInt64(references))), ("l1-entry-on-l1", Patch(l1, own | UInt64(l1))),
      ("l2-entry-outside", Patch(l2, own | far)), ("l2-entry-misaligned", Patch(l2, own | UInt64(l2 + 512))),
      ("l2-entry-on-l1", Patch(l2, own | UInt64(l1))), ("l2-entry-on-l2", Patch(l2, own | UInt64(l2))),
      ("l2-entry-twice", Patch(l2, full.number(at: l2 + 8))), ("compressed-outside", Patch(l2, 1 << 62 | far)),
      ("block-outside", Patch(references, far)), ("block-misaligned", Patch(references, UInt64(block + 512))),
      ("block-on-l1", Patch(references, UInt64(l1))), ("references-lost", Patch(block, UInt64(0))),
    ]
  }
}
