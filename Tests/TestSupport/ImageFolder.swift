import Foundation

/// A folder in which images are made, by `qemu-img` and by bytes.
struct ImageFolder: Sendable {
  let path: String

  func file(_ name: String) -> String { "\(path)/\(name)" }

  func write(_ bytes: [UInt8], _ name: String) throws {
    try Data(bytes).write(to: URL(fileURLWithPath: file(name)))
  }

  func read(_ name: String) throws -> [UInt8] { Array(try Data(contentsOf: URL(fileURLWithPath: file(name)))) }

  func remove(_ name: String) throws { try FileManager.default.removeItem(atPath: file(name)) }

  /// Copies a file and writes over a part of it.
  func copy(_ name: String, as copy: String, _ patches: Patch...) throws {
    try FileManager.default.copyItem(atPath: file(name), toPath: file(copy))
    let handle = try FileHandle(forUpdating: URL(fileURLWithPath: file(copy)))
    defer { try? handle.close() }
    for patch in patches {
      try handle.seek(toOffset: UInt64(patch.offset))
      try handle.write(contentsOf: patch.bytes)
    }
  }

  /// An empty image of 8 MiB in clusters of 4 KiB.
  func emptyQCOW2() async throws -> [UInt8] {
    defer { try? remove("base") }
    try await Shell.run("qemu-img", "create", "-q", "-f", "qcow2", "-o", "cluster_size=4k", file("base"), "8M")
    return try read("base")
  }

  /// An image of 1 MiB that is full of data, in clusters of 64 KiB.
  func fullQCOW2(withSnapshot: Bool) async throws -> [UInt8] {
    defer { for name in ["data", "full"] { try? remove(name) } }
    try write((0..<(1 << 20)).map { UInt8(truncatingIfNeeded: $0 / 512 + 1) }, "data")
    try await Shell.run("qemu-img", "convert", "-f", "raw", "-O", "qcow2", file("data"), file("full"))
    if withSnapshot { try await Shell.run("qemu-img", "snapshot", "-c", "one", file("full")) }
    return try read("full")
  }
}

/// Bytes to put at a place.
struct Patch {
  let offset: Int
  let bytes: [UInt8]

  init(_ offset: Int, _ bytes: [UInt8]) {
    self.offset = offset
    self.bytes = bytes
  }

  /// A number in network order.
  init(_ offset: Int, _ number: some FixedWidthInteger) {
    self.init(offset, withUnsafeBytes(of: number.bigEndian) { Array($0) })
  }
}

extension [UInt8] {
  /// The bytes with parts written over.
  func patched(_ patches: [Patch]) -> [UInt8] {
    var bytes = self
    for patch in patches {
      bytes.replaceSubrange(patch.offset..<(patch.offset + patch.bytes.count), with: patch.bytes)
    }
    return bytes
  }

  /// The number in network order that stands at a place.
  func number(at offset: Int) -> UInt64 { self[offset..<(offset + 8)].reduce(0) { $0 << 8 | UInt64($1) } }
}
