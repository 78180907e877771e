import Models

/// Where the parts of a VM lie on this host.
struct VMPaths: Sendable {
  let folder: String
  /// The console's socket, in a folder of its own because a socket's path has at most 107 bytes (unix(7)).
  let consoleSocket: String

  /// The overlay that is the VM's disk of this number.
  func disk(_ number: Int64) -> String { "\(folder)/disk\(Self.suffix(number)).qcow2" }
  /// The image that the disk of this number lies over, where it came through the host's cache.
  func base(_ number: Int64) -> String { "\(folder)/base\(Self.suffix(number)).qcow2" }

  var seed: String { "\(folder)/seed.iso" }
  var consoleLog: String { "\(folder)/console.log" }
  /// How long the console's log was at the last start.
  var consoleMark: String { "\(folder)/console.start" }
  /// The guest's last known SSH host keys.
  var hostKeys: String { "\(folder)/host-keys" }
  /// Is there as long as the guest may be holding still for a copy of its disk.
  var frozen: String { "\(folder)/frozen" }
  /// Is there when the guest's last end was its own.
  var ended: String { "\(folder)/ended" }
  /// The disk that came from another host.
  var arrived: String { "\(folder)/arrived" }
  /// Copies of the disk.
  var captures: String { "\(folder)/captures" }

  /// The first disk's files bear no number.
  private static func suffix(_ number: Int64) -> String { number == 1 ? "" : "-\(number)" }

  /// The number of a disk by the name of its file, of the image under it, or of what was begun of either.
  static func diskNumber(ofFile name: String) -> Int64? {
    guard let match = name.wholeMatch(of: /(?:disk|base)(?:-([0-9]{1,18}))?\.qcow2(?:\.part)?/) else { return nil }
    return match.1.map { Int64($0) } ?? 1
  }
}

extension VMID {
  /// The address of the VM's network card: QEMU's own prefix, and the last bytes of the id, which are random.
  var mac: String {
    let bytes = withUnsafeBytes(of: uuid.uuid) { Array($0.suffix(3)) }
    return (["52", "54", "00"] + bytes.map { $0.hexadecimal }).joined(separator: ":")
  }
}
