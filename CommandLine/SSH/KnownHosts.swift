import Foundation
import Models

/// The files in which the host keys of guests are kept, one for each VM.
struct KnownHosts: Sendable {
  private let folder: String

  /// They stand beside the configuration.
  init(beside file: ConfigurationFile) {
    let base = (file.path as NSString).deletingLastPathComponent
    folder = URL(fileURLWithPath: base.isEmpty ? "." : base).standardizedFileURL.path + "/known_hosts"
  }

  func path(of vm: UUIDText) -> String { "\(folder)/\(vm)" }

  /// Writes down the guest's keys; without any, what was seen before stays.
  /// - Throws: `CommandFailure`.
  func keep(_ trust: HostTrust, of vm: UUIDText) throws {
    let file = PrivateFile(path: path(of: vm), ownsFolder: true)
    switch trust {
    case .keys(let keys):
      let lines = keys.map { "\(SSHInvocation.alias(of: vm)) \($0.text)\n" }
      try file.write(Data(lines.joined().utf8))
    case .firstSeen: try file.makeFolder()
    }
  }

  /// A guest that is made anew, or is gone, does not have the keys any more.
  func forget(_ vm: UUIDText) { unlink(path(of: vm)) }
}
