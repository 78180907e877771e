import Foundation
import Models
import TestSupport
import Testing

@testable import InventoryService

@Suite(.timeLimit(.minutes(5))) struct HostileImportTests {
  private static let secret = "canary-of-the-host"

  /// Every image that lies, over HTTP, through the whole import: refused by its code, nothing of the host read, nobody
  /// connected to, no file left, and the disk never fuller than the cap allows.
  @Test func nothingHostileIsTaken() async throws {
    let limits = ImportLimits(file: 24 << 20, disk: 64 << 20)
    try await TestEnvironment.withFolder { folder in
      let (corpus, canaryFile) = ("\(folder)/corpus", "\(folder)/canary")
      try FileManager.default.createDirectory(atPath: corpus, withIntermediateDirectories: false)
      let page = String(repeating: Self.secret + "\n", count: 8192)
      try page.write(toFile: canaryFile, atomically: false, encoding: .utf8)
      try await ScriptedServer.with({ _ in [] }) { canary in
        let images = try await HostileImages.make(
          in: corpus, canary: canaryFile, canaryPort: canary.port, diskLimit: limits.disk)
        #expect(images.count > 40)
        try await ImportFixture.with(limits: limits, patience: .init(stallSeconds: 10)) { fixture in
          let largest = try await watching(fixture) {
            try await FileServer.serving(folder: corpus) { url in
              for image in images {
                let imported = try await fixture.importing("\(url)/\(image.name)")
                #expect(imported.state == .error, "\(image.name)")
                #expect(imported.error?.code == image.code, "\(image.name): \(imported.error.debugDescription)")
                #expect(imported.error?.message.contains(folder) == false)
                #expect(try fixture.names().isEmpty, "\(image.name)")
              }
            }
          }
          // What was received, what it expands to, and what it is converted to.
          #expect(largest <= 3 * limits.file)
        }
        #expect(canary.requests.isEmpty)
      }
    }
  }

  /// - Returns: The most bytes that the store had on the disk meanwhile.
  private func watching(_ fixture: ImportFixture, _ body: () async throws -> Void) async throws -> Int64 {
    let watcher = Task {
      var largest: Int64 = 0
      while !Task.isCancelled {
        largest = max(largest, (try? fixture.bytesOnDisk()) ?? 0)
        try? await Task.sleep(for: .milliseconds(5))
      }
      return largest
    }
    do { try await body() } catch {
      watcher.cancel()
      throw error
    }
    watcher.cancel()
    return await watcher.value
  }

  /// What is not hostile comes through, in every packing, with every byte.
  @Test func goodImagesAreTakenInEveryPacking() async throws {
    try await TestEnvironment.withFolder { folder in
      let raw = "\(folder)/disk.raw"
      try Data(rawDisk()).write(to: URL(fileURLWithPath: raw))
      try await Shell.run("qemu-img", "convert", "-f", "raw", "-O", "qcow2", raw, "\(folder)/disk.qcow2")
      try await Shell.run("qemu-img", "convert", "-c", "-f", "raw", "-O", "qcow2", raw, "\(folder)/packed.qcow2")
      let v2 = ["convert", "-f", "raw", "-O", "qcow2", "-o", "compat=0.10", raw, "\(folder)/old.qcow2"]
      try await Shell.run("qemu-img", v2[0], v2[1], v2[2], v2[3], v2[4], v2[5], v2[6], v2[7], v2[8])
      for name in ["disk.raw", "disk.qcow2"] {
        try await Shell.run("gzip", "-k", "\(folder)/\(name)")
        try await Shell.run("xz", "-k", "\(folder)/\(name)")
        try await Shell.run("zstd", "-q", "-k", "\(folder)/\(name)")
      }
      let names = try FileManager.default.contentsOfDirectory(atPath: folder).sorted()
      #expect(names.count == 10)
      try await ImportFixture.with { fixture in
        try await FileServer.serving(folder: folder) { url in
          for name in names {
            let image = try await fixture.importing("\(url)/\(name)")
            #expect(image.state == .available && image.virtualSize == 4096 * 512, "\(name): \(image)")
            let file = fixture.files.file(of: image.id)
            try await Shell.run("qemu-img", "compare", "-f", "qcow2", "-F", "raw", file, raw)
            let attributes = try FileManager.default.attributesOfItem(atPath: file)
            #expect(attributes[.posixPermissions] as? Int == 0o444 && attributes[.size] as? Int64 == image.size)
            #expect(attributes[.ownerAccountID] as? UInt32 == geteuid())
          }
          #expect(try fixture.names().count == names.count)
        }
      }
    }
  }

  @Test func aFullStoreSaysSoAndIsWellAgainWhenThereIsRoom() async throws {
    let disk = rawDisk(sectors: 65_536)
    @Sendable func file(_ request: String) -> [ScriptedServer.Step] {
      ScriptedServer.file(disk, tag: "\"a\"", to: request)
    }
    try await ScriptedServer.with(file) { server in
      @Sendable func none(_ path: String) -> Int64 { 1 }
      try await ImportFixture.with(free: none) { fixture in
        #expect(await code { _ = try await fixture.importing(server.url) } == .noSpace)
      }
      // Room for a part of it; and for all of it, but not for what it is converted to.
      for room in [[Int64(1 << 20)], [1 << 40, 1 << 40, 1 << 40, 1 << 16]] {
        let asked = Counter()
        @Sendable func free(_ path: String) -> Int64 { room[min(asked.next(), room.count - 1)] }
        try await ImportFixture.with(free: free) { fixture in
          let image = try await fixture.importing(server.url)
          #expect(image.state == .error && image.error?.code == "no_space", "\(image)")
          #expect(try fixture.names().isEmpty)
        }
      }
      try await ImportFixture.with { fixture in
        let image = try await fixture.importing(server.url)
        #expect(image.state == .available, "\(image)")
      }
    }
  }

  @Test func aDiskThatIsFullIsNoSpace() throws {
    let file = try WritableFileProbe.full()
    #expect(file == .noSpace)
  }

  /// The sandbox sees neither the network nor the host's files nor root.
  @Test func theSandboxSeesNothingOfTheHost() async throws {
    let script = """
      id -u; ls -A /; cat /etc/passwd /root/.bashrc 2>&1 | head -c 300; cat /proc/*/environ 2>/dev/null; ls /sys/class/net /proc/net/dev; \
      cat /proc/net/dev | wc -l; ls /home /etc /var 2>&1 | head -c 300; touch /usr/x 2>&1; ulimit -a | grep file
      """
    setenv("IAAS_TEST_SECRET", "open-sesame", 1)
    defer { unsetenv("IAAS_TEST_SECRET") }
    let outcome = try await Sandbox.run(["sh", "-c", script], files: [], outputLimit: 0)
    let said = outcome.output + outcome.errors
    #expect(!said.contains("root:") && !said.contains("open-sesame") && !said.contains("eth"), "\(said)")
    #expect(said.hasPrefix("65534\n") || geteuid() != 0)
    // KiB of memory, and seconds of processor time.
    let bounds = try await Sandbox.run(["sh", "-c", "ulimit -v; ulimit -t"], files: [], outputLimit: 0)
    #expect(bounds.output == "4194304\n1800\n", "\(bounds)")
  }
}
