import DiskImages
import Foundation
import Models
import TestSupport
import Testing

/// Every hostile image is refused, and for its own reason.
@Suite struct HostileImageTests {
  private static let limit: Int64 = 64 << 20

  private func withImages(_ body: (String, [HostileImage]) async throws -> Void) async throws {
    try await TestEnvironment.withFolder { folder in
      let canary = "\(folder)/canary"
      try Data("a secret".utf8).write(to: URL(fileURLWithPath: canary))
      let images = "\(folder)/images"
      try FileManager.default.createDirectory(atPath: images, withIntermediateDirectories: false)
      try await body(
        images, try await HostileImages.make(in: images, canary: canary, canaryPort: 9, diskLimit: Self.limit))
    }
  }

  @Test func eachIsRefusedByTheLayerAndTheCodeItWasMadeFor() async throws {
    try await withImages { folder, images in
      for image in images {
        let path = "\(folder)/\(image.name)"
        let byHeader = ErrorCode.thrown { try DiskInspector.inspect(file: path, limit: Self.limit) }
        let code = image.byHeader ? byHeader : try refusalOfContent(path, in: folder)
        #expect(code == ErrorCode(rawValue: image.code), "\(image.name)")
      }
      let files = try FileManager.default.contentsOfDirectory(atPath: folder)
      #expect(Set(files).subtracting(["expanded", "converted"]) == Set(images.map(\.name)))
    }
  }

  /// What expanding, the header behind it, `qemu-img check` and a bounded conversion say, in this order.
  private func refusalOfContent(_ path: String, in folder: String) throws -> ErrorCode? {
    let file = try FileHandle(forReadingFrom: URL(fileURLWithPath: path))
    defer { try? file.close() }
    let expanded = "\(folder)/expanded"
    if let compression = Compression(magic: Array(try file.read(upToCount: 16) ?? Data())) {
      let code = ErrorCode.thrown {
        try compression.expand(path, to: expanded, limit: Self.limit) { false }
      }
      #expect(try FileManager.default.attributesOfItem(atPath: expanded)[.size] as? Int64 ?? 0 <= Self.limit)
      return code ?? ErrorCode.thrown { try DiskInspector.inspect(file: expanded, limit: Self.limit) }
    }
    #expect(try DiskInspector.inspect(file: path, limit: Self.limit).format == .qcow2)
    guard try exitStatus("qemu-img", "check", "-q", "-f", "qcow2", path) == 0 else { return .corrupt }
    let bounds = ["--fsize=\(Self.limit / 4)", "qemu-img", "convert", "-f", "qcow2", "-O", "qcow2"]
    return try exitStatus("prlimit", bounds + [path, "\(folder)/converted"]) == 0 ? nil : .tooLarge
  }

  private func exitStatus(_ name: String, _ arguments: String...) throws -> Int32 { try exitStatus(name, arguments) }

  private func exitStatus(_ name: String, _ arguments: [String]) throws -> Int32 {
    let process = Process()
    process.executableURL = URL(fileURLWithPath: "/usr/bin/env")
    process.arguments = [name] + arguments
    process.standardOutput = FileHandle.nullDevice
    process.standardError = FileHandle.nullDevice
    try process.run()
    process.waitUntilExit()
    return process.terminationStatus
  }
}
