import Foundation
import Models
import ServiceKit

/// The NoCloud seed by which a guest learns its name and keys (cloud-init manual, "NoCloud"). Its files are JSON, which is
/// YAML, but for what the VM's owner gave.
struct Seed: Sendable {
  let spec: VMSpec

  struct File: Equatable, Sendable {
    let name: String
    let content: Data
  }

  private struct MetaData: Encodable {
    let instanceID: String
    let localHostname: String
    let publicKeys: [String]
    enum CodingKeys: String, CodingKey {
      case instanceID = "instance-id"
      case localHostname = "local-hostname"
      case publicKeys = "public-keys"
    }
  }

  private struct CloudConfig: Encodable {
    let hostname: String
    let sshAuthorizedKeys: [String]
    let disableRoot: Bool
    enum CodingKeys: String, CodingKey {
      case hostname
      case sshAuthorizedKeys = "ssh_authorized_keys"
      case disableRoot = "disable_root"
    }
  }

  /// With data of the owner's, our own is what that may override.
  var files: [File] {
    let metaData = MetaData(instanceID: instance, localHostname: spec.name, publicKeys: spec.sshKeys)
    let ours = Self.cloudConfig(
      CloudConfig(hostname: spec.name, sshAuthorizedKeys: spec.sshKeys, disableRoot: false))
    return [
      File(name: "meta-data", content: Self.json(metaData)),
      File(name: "user-data", content: spec.userData.map { Data($0.utf8) } ?? ours),
      File(name: "vendor-data", content: spec.userData == nil ? Self.cloudConfig([String: String]()) : ours),
    ]
  }

  /// A guest on a new disk is another one to cloud-init.
  private var instance: String { spec.diskNumber == 1 ? "\(spec.id)" : "\(spec.id)-\(spec.diskNumber)" }

  private static func cloudConfig(_ value: some Encodable) -> Data { Data("#cloud-config\n".utf8) + json(value) }

  /// Strings and lists of them can always be encoded.
  private static func json(_ value: some Encodable) -> Data { (try? JSON.encoder.encode(value)) ?? Data() }

  /// Writes the ISO file under its final name, whole or not at all.
  /// - Throws: `no_space`, `FileError`, `internal_error`.
  func write(to path: String) async throws {
    let folder = path + ".files"
    let manager = FileManager.default
    try? manager.removeItem(atPath: folder)
    try Folder.ensure(folder, mode: 0o700)
    defer { try? manager.removeItem(atPath: folder) }
    for file in files { try PrivateFile.write(file.content, to: "\(folder)/\(file.name)") }
    let outcome = try await Tool.run(
      "xorrisofs",
      ["-quiet", "-output", path + ".part", "-volid", "cidata", "-joliet", "-rational-rock"]
        + files.map { "\(folder)/\($0.name)" })
    guard outcome.succeeded else {
      throw try DiskFull.explaining(outcome, in: path, or: "The seed of the VM cannot be made.")
    }
    try await Files.shared.publish(path + ".part", as: path)
  }
}
