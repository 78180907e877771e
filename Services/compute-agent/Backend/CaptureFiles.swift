import Foundation
import Models
import ServiceKit

/// The copy of a VM's disk for an image: the file, what is known of it beside, and what is not whole yet.
struct CaptureFiles: Sendable {
  let folder: String
  let image: ImageID

  private struct Record: Codable {
    let consistency: Consistency
  }

  init(paths: VMPaths, image: ImageID) {
    folder = paths.captures
    self.image = image
  }

  var whole: String { "\(folder)/\(image).qcow2" }
  var part: String { whole + ".part" }
  private var record: String { "\(folder)/\(image).json" }

  /// The copy, if it is whole.
  var finished: Capture? {
    var status = stat()
    guard stat(whole, &status) == 0 else { return nil }
    let known = FileManager.default.contents(atPath: record)
      .flatMap { try? JSON.decoder.decode(Record.self, from: $0) }
    return Capture(isDone: true, consistency: known?.consistency ?? .crash, size: Int64(status.st_size))
  }

  /// Bytes on the disk of what is made so far.
  var partSize: Int64 {
    var status = stat()
    return stat(part, &status) == 0 ? Int64(status.st_blocks) * 512 : 0
  }

  /// Makes the folder, which QEMU's own user must be able to enter, and takes away what was begun before.
  func prepare() throws {
    try Folder.ensure(folder, mode: 0o711)
    try remove(part)
  }

  /// Gives the copy its name, after what is known of it.
  func publish(_ consistency: Consistency) async throws {
    try PrivateFile.write(try JSON.encoder.encode(Record(consistency: consistency)), to: record)
    // A queue of its own: bringing a large file to the disk takes long.
    try await Files().publish(part, as: whole)
  }

  /// Removes all of it; what is gone is fine.
  func removeAll() throws {
    for path in [part, whole, record] { try remove(path) }
    rmdir(folder)
  }

  func removePart() throws {
    try remove(part)
    if access(whole, F_OK) != 0 { try remove(record) }
    rmdir(folder)
  }

  private func remove(_ path: String) throws {
    guard unlink(path) == 0 || errno == ENOENT else { throw FileError(path: path, code: errno) }
  }

  /// The images that a folder has copies for, whole or not.
  static func images(in folder: String) -> [ImageID] {
    let names = (try? FileManager.default.contentsOfDirectory(atPath: folder)) ?? []
    let images = names.compactMap { name in name.split(separator: ".").first.flatMap { ImageID(String($0)) } }
    return Set(images).sorted { $0.description < $1.description }
  }

  /// Whether something is there that is not whole.
  static func hasPart(in folder: String) -> Bool {
    let names = (try? FileManager.default.contentsOfDirectory(atPath: folder)) ?? []
    return names.contains { $0.hasSuffix(".part") }
  }
}
