import Foundation
import Models
import ServiceKit

/// The NoCloud seed by which a guest learns its name and keys (cloud-init manual, "NoCloud").
struct Seed {
  let spec: VMSpec

  private struct MetaData: Encodable {
    let instanceID: String
    let localHostname: String
    enum CodingKeys: String, CodingKey {
      case instanceID = "instance-id"
      case localHostname = "local-hostname"
    }
  }

  private struct UserData: Encodable {
    let hostname: String
    let sshAuthorizedKeys: [String]
    let disableRoot: Bool
    enum CodingKeys: String, CodingKey {
      case hostname
      case sshAuthorizedKeys = "ssh_authorized_keys"
      case disableRoot = "disable_root"
    }
  }

  /// Writes the ISO file under its final name, whole or not at all. The files are JSON, which is YAML.
  func write(to path: String) async throws {
    let folder = path + ".files"
    let manager = FileManager.default
    try? manager.removeItem(atPath: folder)
    try manager.createDirectory(atPath: folder, withIntermediateDirectories: false)
    defer { try? manager.removeItem(atPath: folder) }
    let metaData = MetaData(instanceID: spec.id.description, localHostname: spec.name)
    let userData = UserData(hostname: spec.name, sshAuthorizedKeys: spec.sshKeys, disableRoot: false)
    try JSON.encoder.encode(metaData).write(to: URL(fileURLWithPath: "\(folder)/meta-data"))
    try (Data("#cloud-config\n".utf8) + JSON.encoder.encode(userData))
      .write(to: URL(fileURLWithPath: "\(folder)/user-data"))
    let outcome = try await Tool.run(
      "xorrisofs",
      [
        "-quiet", "-output", path + ".part", "-volid", "cidata", "-joliet", "-rational-rock", "\(folder)/meta-data",
        "\(folder)/user-data",
      ])
    guard outcome.succeeded else {
      throw ServiceError(.internalError, "The seed of the VM cannot be made.", detail: outcome.errors)
    }
    try await Files.shared.publish(path + ".part", as: path)
  }
}
